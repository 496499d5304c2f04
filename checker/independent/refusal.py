"""The one exception of the independent checker."""


class Refused(Exception):
    """The certificate does not show what it says; the message says why."""


def require(condition: object, reason: str) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise Refused(reason)
