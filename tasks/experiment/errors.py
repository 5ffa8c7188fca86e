"""What a user is told."""


class UserError(Exception):
    """A mistake of the user's; its text is all that is shown."""
