"""Errors that are written for people: one line, what happened, what to do."""


class UserError(Exception):
  """The work failed for a reason the user can act on. Commands exit with 1."""


class UsageError(UserError):
  """The command was asked for something it does not offer. Commands exit with 2."""
