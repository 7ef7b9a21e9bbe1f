"""Refusals of enrolment that are not decisions."""

from __future__ import annotations

from ..errors import ConflictError, NotFoundError


class NoSuchFileError(NotFoundError):
    """The file does not exist, or does not belong to this visitor."""

    code = "no_such_file"


class FileNotEditableError(ConflictError):
    """The file was submitted meanwhile: it can no longer be edited."""

    code = "file_not_editable"


class FileIncompleteError(ConflictError):
    """The file lacks something and cannot be submitted."""

    code = "file_incomplete"


class SameOperatorError(ConflictError):
    """A second operator is required: an operator cannot approve their own proposal."""

    code = "same_operator"
