# SPDX-License-Identifier: MIT
"""The command: what it answers, how it fails, and its exit codes."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from physbuf.cli import execute, main
from physbuf.pattern import pattern

SIZE = 1 << 16


@pytest.fixture
def path(tmp_path: Path) -> str:
    made = tmp_path / "region"
    made.write_bytes(bytes(SIZE))
    return str(made)


def run(*argv: str, stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "physbuf", *argv]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, **options)


def answer(*argv: str) -> dict[str, Any]:
    code, result = execute(list(argv))
    assert code == 0 and isinstance(result, dict), result
    return result


def error(*argv: str, code: int = 2) -> str:
    status, result = execute(list(argv))
    assert status == code and isinstance(result, dict) and list(result) == ["error"]
    return str(result["error"])


def test_fill_digest_dump(path: str, tmp_path: Path) -> None:
    content = pattern(0x1234, 0, SIZE)
    assert answer("fill", path, "--seed", "0x1234") == {"region": "region", "size": SIZE, "seed": 0x1234}
    digest = answer("digest", path, "--pages")
    pages = base64.b64decode(digest.pop("pages"))
    sha256 = hashlib.sha256(content).hexdigest()
    assert digest == {"region": "region", "base": None, "size": SIZE, "sha256": sha256, "page_size": 4096}
    assert len(pages) == 4 * SIZE // 4096
    assert execute(["dump", path]) == (0, content)
    assert execute(["dump", path, "--offset", "4K", "--size", "0x10"]) == (0, content[4096:4112])
    out = tmp_path / "out"
    assert answer("dump", path, "--offset", "9", "-o", str(out)) == {
        "region": "region",
        "offset": 9,
        "size": SIZE - 9,
        "file": str(out),
    }
    assert out.read_bytes() == content[9:]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "region"]


def test_info(path: str) -> None:
    about = answer("info", path)
    assert set(about) == {"version", "kernel", "boot_id", "regions"}
    (region,) = about["regions"]
    assert region == {
        "name": "region",
        "base": None,
        "size": SIZE,
        "kind": "file",
        "cache": None,
        "mappings": None,
        "boots": None,
        "moved": None,
        "cleaner": None,
        "used": None,
        "rings": None,
        "last_exit": None,
        "last_cleaned": None,
        "reset_cause": None,
        "path": path,
        "readable": True,
        "writable": True,
    }


def test_log(path: str) -> None:
    assert "holds no log; make one with: physbuf log format" in error("log", "read", path)
    assert "holds no log" in error("log", "append", path, "text")
    assert Path(path).read_bytes() == bytes(SIZE)
    first = answer("log", "append", path, "--format", "one", "two", "--severity", "err", "--kind", "7")
    assert first["formatted"] and (first["first_sequence"], first["last_sequence"]) == (1, 2)
    second = answer("log", "append", path, "--format", "three")
    assert not second["formatted"] and second["first_sequence"] == 3
    read = answer("log", "read", path)
    assert [record["text"] for record in read["records"]] == ["one", "two", "three"]
    assert (read["records"][0]["kind"], read["records"][0]["severity"]) == (7, 3)
    assert read["report"]["records"] == 3
    assert "holds a log already" in error("log", "format", path)
    answer("log", "format", path, "--force")
    assert answer("log", "read", path)["records"] == []


@pytest.mark.parametrize(("epoch", "count"), [("1", 1), ("-1", 1), ("2", 0), ("-2", 0), ("0", 0)])
def test_log_epoch(path: str, epoch: str, count: int) -> None:
    answer("log", "append", path, "--format", "one")
    assert len(answer("log", "read", path, "--epoch", epoch)["records"]) == count


def test_damage_is_exit_code_1(path: str) -> None:
    answer("log", "append", path, "--format", "one", "two")
    content = bytearray(Path(path).read_bytes())
    content[content.index(b"one")] ^= 1
    Path(path).write_bytes(content)
    code, result = execute(["log", "read", path])
    assert code == 1 and isinstance(result, dict)
    assert [record["text"] for record in result["records"]] == ["two"]
    assert (result["report"]["torn"], result["report"]["gaps"], result["report"]["lost"]) == (1, 1, 1)
    done = run("log", "read", path)
    assert done.returncode == 1 and "two" in done.stdout and "1 torn" in done.stderr


def test_stdin_lines_and_odd_bytes(path: str) -> None:
    run("log", "format", path)
    done = subprocess.run(
        [sys.executable, "-m", "physbuf", "log", "append", path, "--json"],
        input=b"plain\n\n\xff\xfe\nesc \x1b[31m\nno newline",
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(done.stdout)["appended"] == 5
    texts = [record.get("text", record.get("data")) for record in answer("log", "read", path)["records"]]
    assert texts == ["plain", "", base64.b64encode(b"\xff\xfe").decode(), "esc \x1b[31m", "no newline"]
    shown = run("log", "read", path).stdout
    assert "\x1b" not in shown and r"esc \x1b[31m" in shown


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "COMMAND"),
        (["bogus"], "invalid choice: 'bogus'"),
        (["digest"], "REGION"),
        (["digest", "nosuch"], "no /dev/physbuf/nosuch"),
        (["digest", "./nosuch"], "no such file"),
        (["digest", "/"], "directory"),
        (["digest", "/dev/null"], "not a physbuf device"),
        (["digest", "a\0b"], "zero byte"),
        (["digest", ""], "''"),
        (["fill", "PATH"], "--seed"),
        (["fill", "PATH", "--seed", "x"], "seed 'x'"),
        (["dump", "PATH", "--offset", "64K", "--size", "1"], "has 0x0 bytes"),
        (["dump", "PATH", "--offset", "0x10001"], "outside"),
        (["dump", "PATH", "--offset", "-1"], "outside"),
        (["dump", "PATH", "--size", "-1"], "--size"),
        (["dump", "PATH", "--size", "1Q"], "'1Q'"),
        (["dump", "PATH", "--json"], "-o FILE"),
        (["dump", "PATH", "-o", "/nonexistent/out"], "No such file"),
        (["dump", "PATH", "-o", "/dev/null"], "not a regular file"),
        (["log", "append", "PATH"], "no TEXT"),
        (["log", "append", "PATH", "x", "--severity", "loud"], "emerg, alert"),
        (["log", "append", "PATH", "x", "--severity", "8"], "0 .. 7"),
        (["log", "append", "PATH", "--format", "--kind", "65536", "x"], "kind 65536"),
        (["log", "append", "PATH", "--bogus"], "--bogus"),
        (["log", "read", "PATH", "--epoch", "x"], "'x'"),
        (["doctor", "--manifest", "--json"], "--manifest"),
        (["serve"], "of its own"),
    ],
)
def test_usage_errors(path: str, argv: list[str], says: str) -> None:
    assert says in error(*[path if word == "PATH" else word for word in argv])


def test_error_on_stderr_and_in_json(path: str) -> None:
    done = run("log", "read", path, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] in done.stderr
    assert done.stderr.startswith("physbuf: region ") and done.stderr.count("\n") == 1


def test_help_and_version() -> None:
    done = run("--help")
    assert done.returncode == 0 and "Exit codes: 0 done" in done.stdout and "serve" in done.stdout
    assert run("--version").stdout == "physbuf 0.1.0\n"
    assert "help" in answer("log", "append", "--help")


def test_a_full_disk_leaves_no_file(path: str, tmp_path: Path) -> None:
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    out = tmp_path / "out"
    out.write_bytes(b"the old one")
    done = run("dump", path, "-o", str(out), preexec_fn=small_files)
    assert done.returncode == 2 and "cannot write 65536 bytes: File too large" in done.stderr
    assert out.read_bytes() == b"the old one"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "region"]


def test_stdout_full(path: str) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "physbuf", "dump", path]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2 and "No space left on device" in done.stderr and "Traceback" not in done.stderr


def test_broken_pipe_is_quiet(path: str) -> None:
    for argv in (["dump", path], ["log", "read", path]):
        answer("log", "append", path, "--format", *["a line of text"] * 200)
        source, sink = os.pipe()
        os.close(source)
        command = [sys.executable, "-m", "physbuf", *argv]
        done = subprocess.run(command, stdout=sink, stderr=subprocess.PIPE, text=True, check=False)
        os.close(sink)
        assert "Broken" not in done.stderr and "Traceback" not in done.stderr


def test_no_raw_memory_on_a_terminal(path: str, terminal: tuple[int, int]) -> None:
    command = [sys.executable, "-m", "physbuf", "dump", path]
    done = subprocess.run(command, stdout=terminal[1], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2 and "will not write raw memory to a terminal" in done.stderr


def test_interrupted(path: str) -> None:
    answer("log", "format", path)
    command = [sys.executable, "-m", "physbuf", "log", "append", path]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"first\n")
    process.stdin.flush()
    while not answer("log", "read", path)["records"]:
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130 and errors == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="dropping to another user needs root")
def test_no_permission(path: str, tmp_path: Path) -> None:
    os.chmod(path, 0o400)
    pid = os.fork()
    if pid == 0:
        try:
            for directory in [tmp_path, *tmp_path.parents][:3]:
                os.chmod(directory, 0o755)
            os.setuid(65534)
            code, result = execute(["digest", path])
            os._exit(0 if code == 2 and "no permission to read" in str(result) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_read_only_file_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fill", "/proc/version", "--seed", "1"]) == 2
    assert "/proc/version" in capsys.readouterr().err
