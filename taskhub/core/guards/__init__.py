"""One guard each for JSON, paths, URLs and YAML from outside."""
