"""The commands that the stages of a study are, one by one."""

from pathlib import Path

from textgate.study._settings import Settings, quoted


def commands(settings: Settings, directory: Path) -> list[str]:
    """Return a command for each stage, in order."""
    place = quoted(str(directory))
    lines = [settings.command(directory, "data")]
    for cell in settings.cells:
        parts = [f"textgate train {place}/{cell}"]
        parts += [f"--data {quoted(text)}" for text in settings.text]
        if settings.text:
            parts += [f"--validation {quoted(text)}" for text in settings.validation]
        if settings.preset != "default":
            parts.append(f"--preset {settings.preset}")
        if cell != "lstm":
            parts.append(f"--cell {cell}")
        if settings.seed:
            parts.append(f"--seed {settings.seed}")
        if settings.recipe:  # has no options for all of it
            parts = [settings.command(directory, "train")]
        lines.append(" ".join(parts))
    stages = ("evaluate", "trace")
    lines += [settings.command(directory, stage) for stage in stages]
    alone = f"the protocol alone: textgate units {place}/{settings.cells[0]}"
    lines.append(f"{settings.command(directory, 'units')}    # {alone}")
    lines.append(settings.command(directory, "mechanics"))
    lines += [f"textgate export {place}/{cell} --overwrite" for cell in settings.cells]
    lines.append(f"textgate report {place}")
    return lines
