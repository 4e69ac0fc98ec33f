"""Work shared out to forked processes, which see all that this one holds without copying or pickling it."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import TypeVar, cast

__all__ = ["forked"]

_Result = TypeVar("_Result")
_Step = Callable[[int], None]


def forked(tasks: Sequence[Callable[[_Step], _Result]], progress: _Step) -> list[_Result]:
    """The results of the tasks, in their order, each from a process of its own (one task: here, without a fork).

    Each task is given a function to call with the amount of work done since; ``progress`` hears it here. What a task
    raises is raised here, the other processes are ended then. Call it while no other thread runs.
    """
    if len(tasks) < 2 or not hasattr(os, "fork"):
        return [task(progress) for task in tasks]
    gc.collect()
    gc.freeze()  # what is there already is not looked at again, so its pages stay shared
    try:
        return _run(tasks, progress)
    finally:
        gc.unfreeze()


def _run(tasks: Sequence[Callable[[_Step], _Result]], progress: _Step) -> list[_Result]:
    context = multiprocessing.get_context("fork")
    pipes: dict[Connection, int] = {}
    processes = []
    for number, task in enumerate(tasks):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(task, theirs), daemon=True)
        process.start()
        theirs.close()
        pipes[ours] = number
        processes.append(process)
    results: dict[int, _Result] = {}
    try:
        while pipes:
            for pipe in cast("list[Connection]", wait(list(pipes))):
                _hear(pipe, pipes, results, progress)
        return [results[number] for number in range(len(tasks))]
    finally:
        for process in processes:
            process.terminate() if len(results) < len(tasks) else None
            process.join()


def _hear(pipe: Connection, pipes: dict[Connection, int], results: dict[int, _Result], progress: _Step) -> None:
    try:
        kind, content = pipe.recv()
    except EOFError:
        raise RuntimeError("a process of the comparison ended without a result") from None
    if kind == "progress":
        progress(content)
    elif kind == "error":
        raise content
    else:
        results[pipes.pop(pipe)] = content
        pipe.close()


def _work(task: Callable[[_Step], object], pipe: Connection) -> None:
    try:
        result = task(lambda done: pipe.send(("progress", done)))
    except Exception as error:  # noqa: BLE001 - it is raised again by the process that asked
        pipe.send(("error", error))
    else:
        pipe.send(("result", result))
    finally:
        pipe.close()
