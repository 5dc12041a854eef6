"""x."""


def debug(): ...
