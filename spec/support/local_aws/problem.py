"""
The exceptions of Personalize, as its operations raise them.
"""


class Problem(Exception):
    """An exception of the service, by its name."""

    def __init__(self, code, message, capital=False):
        super().__init__(message)
        self.code = code
        self.message = message
        self.capital = capital      # "Message": errors of the framework


def invalid(message):
    return Problem("InvalidInputException", message)


def not_found(arn):
    return Problem("ResourceNotFoundException",
                   "Resource not found: %s" % arn)


def already_exists(arn):
    return Problem("ResourceAlreadyExistsException",
                   "Another resource with Amazon Resource Name (ARN) %s "
                   "already exists." % arn)
