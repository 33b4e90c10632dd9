"""The command line: parse, call one command, render, exit code."""
