"""A service of a few lines, for the tests of the shell that every service has."""
