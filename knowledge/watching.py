"""What watched pages changed, as the last looks at them found it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE = "watch.json"


@dataclass(frozen=True)
class Change:
    """A figure that a watched page changed: before and after, the sentences, and where the new one stands.

    `before` or `after` is "" where the sentence is new or gone. `noticed_at` is a moment in ISO 8601.
    """

    document: str
    url: str
    before: str
    after: str
    old_sentence: str
    new_sentence: str
    place: str
    noticed_at: str


@dataclass(frozen=True)
class Looked:
    """When an address was last looked at, what asks for it again only if it changed, and what went wrong if it did."""

    etag: str = ""
    modified: str = ""
    looked_at: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Watch:
    """The watched addresses, and the changes that were noticed, in order."""

    pages: dict[str, Looked] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    def as_json(self) -> bytes:
        """As it is stored."""
        content = {
            "pages": {url: asdict(looked) for url, looked in self.pages.items()},
            "changes": [asdict(change) for change in self.changes],
        }
        return json.dumps(content, ensure_ascii=False, indent=1).encode()


def load_watch(data_dir: Path) -> Watch:
    """What is known of the watched pages; nothing where none was looked at.

    Raises:
        ValueError: the file is not what was written.
    """
    try:
        content = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
        pages = {url: Looked(**looked) for url, looked in content["pages"].items()}
        return Watch(pages, tuple(Change(**change) for change in content["changes"]))
    except FileNotFoundError:
        return Watch()
    except (KeyError, TypeError) as error:
        raise ValueError(f"{data_dir / FILE} is not what a watch writes: remove it") from error
