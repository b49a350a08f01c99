"""What a command can fail of, known without importing what it works with."""


class WrongInput(Exception):
    """What was asked for cannot be done. Trying again changes nothing."""


class NotRegistered(WrongInput):
    """No such version or alias."""


class Refused(Exception):
    """Somebody or something says no: whoever serves goes on as before."""
