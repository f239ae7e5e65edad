"""Checks of what comes from outside: JSON, paths, URLs, YAML. They raise TaskhubErrors, nothing else."""
