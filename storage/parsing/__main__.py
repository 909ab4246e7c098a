"""The child's loop: one task, one answer, until its parent closes the line."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from pathlib import Path
from typing import BinaryIO

import msgspec

from storage.formats import ACCEPTED, HEAD_BYTES, M4A, MP4, WEBM, WEBM_SOUND, Format, recognise
from storage.parsing import document, image, limits, media, sound, text, video
from storage.parsing.messages import Answer, Refused, Task, length

OUR_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE)
UNREADABLE = "This file is damaged, or not what it looks like."


def main() -> None:
    # Whatever a library prints must not get between two answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")  # what parsers remark about files would fill the log
    limits.confine(*map(int, sys.argv[1:2]))
    _say(answers, Answer(is_ready=True))
    decode = msgspec.msgpack.Decoder(Task).decode
    tasks = sys.stdin.buffer
    while head := tasks.read(length.size):
        task = decode(tasks.read(*length.unpack(head)))
        limits.allow_seconds(task.seconds)
        try:
            _say(answers, carry_out(task))
        except MemoryError:
            # What is left of the memory, and in which state, nobody knows: the parent starts another child.
            detail = "This file takes more memory than there is for one."
            _say(answers, Answer(code="file_unreadable", detail=detail, is_last=True))
            return


def carry_out(task: Task) -> Answer:
    try:
        return _carry_out(task)
    except Refused as refused:
        return Answer(code=refused.code, detail=refused.detail)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (what parsers raise for bad files is without end)
        cause = f"{type(error).__name__}: {error}".replace(task.source, "it")[:200]
        if isinstance(error, OSError) and error.errno in OUR_FAULTS:
            return Answer(is_our_fault=True, cause=cause)
        return Answer(code="file_unreadable", detail=UNREADABLE, cause=cause)


def _carry_out(task: Task) -> Answer:
    source, folder = Path(task.source), Path(task.folder)
    if task.do == "judge":
        return _judge(task, source, folder)
    if task.do == "measure":
        return sound.measure(source)
    if task.do == "render_audio":
        return sound.render(source, folder)
    return document.poster(source, folder) if task.kind == "pdf" else video.poster(source, folder)


def _judge(task: Task, source: Path, folder: Path) -> Answer:
    with open(source, "rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise Refused("file_empty", "This file is empty.")
    form = recognise(head)
    if form is None:
        raise Refused("file_type", f"This kind of file is not taken. Accepted are: {ACCEPTED}.")
    if form in (MP4, WEBM):
        form = _told_apart(source, form)
    if task.wanted == "voice" and form.kind != "audio":
        raise Refused("not_voice", "A voice message is sound.")
    if task.wanted == "avatar" and form.kind != "image":
        raise Refused("not_picture", "This must be a picture: JPEG, PNG, WebP or GIF.")
    if form.kind == "image":
        return image.judge(source, folder, task.wanted)
    if form.kind == "audio":
        return sound.judge(source, folder, form, task.wanted)
    if form.kind == "video":
        return video.judge(source, folder, form)
    return document.judge(source) if form.kind == "pdf" else text.judge(source)


def _told_apart(source: Path, form: Format) -> Format:
    """Whether a box for video holds any."""
    if form is MP4:
        media.refuse_cut_mp4(source)
    with media.opened(source, form) as container:
        if media.streams_of(container).video is None:
            return M4A if form is MP4 else WEBM_SOUND
    return form


def _say(answers: BinaryIO, answer: Answer) -> None:
    payload = msgspec.msgpack.encode(answer)
    answers.write(length.pack(len(payload)) + payload)
    answers.flush()


if __name__ == "__main__":
    main()
