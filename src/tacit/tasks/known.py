"""The list of tasks: a further one is a class behind the protocol and a line in here."""

from __future__ import annotations

from difflib import get_close_matches

from tacit.errors import ConfigError
from tacit.tasks.caption.head import Captioning
from tacit.tasks.detect.head import Detect
from tacit.tasks.embed.head import Embed
from tacit.tasks.pose.head import Pose
from tacit.tasks.scene.head import Scenes
from tacit.tasks.segment.head import Segment
from tacit.tasks.tags.head import Tagging
from tacit.tasks.task import Task

KNOWN: dict[str, type[Task]] = {
    task.name: task
    for task in (
        Detect,
        Segment,
        Pose,
        Scenes,
        Tagging,
        Embed,
        Captioning,
    )
}


def kind_of(name: str) -> type[Task]:
    """The task of that name. Raises ConfigError for one that nobody knows."""
    if name not in KNOWN:
        near = get_close_matches(name, KNOWN, n=1)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"there is no task {name[:40]!r}", allowed=", ".join(KNOWN), fix=hint)
    return KNOWN[name]
