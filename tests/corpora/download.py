"""Download the source distribution of a project, through pip's own settings: `python -m tests.corpora.download NAME VERSION TO`.

`pip download` would run the project's build to learn its name. So this asks the part of pip that finds and fetches: index, extra
indexes, proxies, certificates and sign-ins are those of the user's pip, and this repository names no host. Where the environment
has no pip (uv makes such), it is the one that Python brings along.
"""

from __future__ import annotations

import ensurepip
import sys
from pathlib import Path


def main(project: str, version: str, target: str) -> None:
    try:
        import pip  # noqa: F401
    except ImportError:
        bundled = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
        sys.path.insert(0, str(bundled))
    from pip._internal.commands import create_command

    command = create_command("download")
    options, _ = command.parse_args(["--no-binary", ":all:"])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options=options, session=session)
        links = [
            candidate.link
            for candidate in finder.find_all_candidates(project)
            if str(candidate.version) == version and candidate.link.filename.endswith(".tar.gz")
        ]
        if not links:
            raise SystemExit(f"The package index that pip is set up with has no source of {project} {version}.")
        answer = session.get(links[0].url_without_fragment, headers={"Accept-Encoding": "identity"}, stream=True)
        answer.raise_for_status()
        with open(target, "wb") as file:
            for piece in answer.iter_content(1 << 20):
                file.write(piece)


if __name__ == "__main__":
    main(*sys.argv[1:])
