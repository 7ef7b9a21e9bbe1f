"""Refusals of enrolment that are not decisions."""

from __future__ import annotations

from ..errors import ConflictError, NotFoundError


class NoSuchFileError(NotFoundError):
    """There is no such file, or it is not this visitor's."""

    code = "no_such_file"


class FileNotEditableError(ConflictError):
    """The file was submitted meanwhile: nothing of it changes any more."""

    code = "file_not_editable"


class FileIncompleteError(ConflictError):
    """The file lacks something and cannot be submitted."""

    code = "file_incomplete"


class SameOperatorError(ConflictError):
    """A second operator is needed: nobody agrees with themself."""

    code = "same_operator"
