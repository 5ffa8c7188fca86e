"""Mistakes that a user can mend."""


class UserError(Exception):
    """A mistake of the user's; its text is all that is shown."""
