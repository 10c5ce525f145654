"""Members of ZIP archives, believed only as far as their bytes are there."""

import zipfile

# What deflate can shrink by, at most.
MOST_COMPRESSION = 1100


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a member's bytes.

    Raises:
        ValueError: If there is no such member, or it claims to unpack to more than it can.
    """
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise ValueError(f"the file lacks a part that it refers to. Received: {name!r}") from error
    if info.file_size > MOST_COMPRESSION * max(info.compress_size, 1):
        raise ValueError(f"a part of the file is too large to be true. Received: {name!r}")
    return archive.read(info)
