#!/usr/bin/env python
"""Taskhub's command line in a checkout."""

from taskhub.command_line import main

if __name__ == "__main__":
    main()
