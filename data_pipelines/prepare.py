"""Raw videos to training records: `python -m data_pipelines.prepare VIDEOS --out DIR`.

    python -m data_pipelines.prepare VIDEOS... --out DIR --workers 8 [--size 512] \\
      [--people folder] [--licence CC-BY-4.0] [--held-out 0.05] [--set min_speech=0]

Every video is cut into clips of one person in a square crop, 2 to 10 s long, at 25
pictures a second with 16 kHz sound, with labels for every frame. What is thrown away,
and why, is in DIR/report.html; the thresholds are `ingest.config.Config`.

The same videos and settings give the same bytes with any number of workers. A second
run does nothing; an interrupted one goes on. On many machines
`data_pipelines.ingest.beam` makes the same records.
"""

import argparse
import collections
import dataclasses
import functools
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from data_pipelines.command import run_command
from data_pipelines.errors import UsageError, UserError
from data_pipelines.ingest import packing, report, staging
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.eyes import Eyes, real_eyes
from data_pipelines.ingest.inputs import find_videos, locked, take_stock
from data_pipelines.ingest.outcome import Report, Source
from data_pipelines.ingest.watched_pool import run_watched
from data_pipelines.synthetic.recipe import claim

MEMORY = 6 << 30  # bytes a worker may allocate: 8K takes 2, a broken head asks for more


@dataclasses.dataclass(frozen=True)
class Work:
  """How the work is done; what comes out does not depend on it.

  Attributes:
    workers: processes; 0 works in this one, without time limits.
    limit: s that one file may be computed on.
    silence: s of computing without progress, after which a decoder is taken for hung.
  """

  workers: int = 1
  limit: float = 4 * 3600.0
  silence: float = 120.0


class Made(NamedTuple):
  """What a run did.

  Attributes:
    videos: read in this run.
    shards: written in this run.
    clips: in the corpus.
    people: in the corpus.
  """

  videos: int
  shards: int
  clips: int
  people: int


def prepare(
  sources: Sequence[Source],
  out: str | os.PathLike,
  config: Config,
  held_out: float = 0.0,
  work: Work | None = None,
  eyes: Callable[[], Eyes] = real_eyes,
  tell: Callable[[str], None] = lambda line: None,
) -> Made:
  """Makes the records of some videos, or what is missing of them.

  Args:
    sources: of `find_videos`.
    out: folder of the corpus; made if missing.
    config: sizes and thresholds.
    held_out: share of the people that go to the split `validation`.
    work: how; not what.
    eyes: makes the nets; a function of a module, so that a new process finds it.
    tell: is given one line for every video.

  Raises:
    UserError: the disk is full, another corpus lies in the folder, no clip was kept.
  """
  from data_pipelines import builder

  work = work or Work()
  with locked(out):
    claim(out, take_stock(sources, config, held_out))
    for part in pathlib.Path(out).rglob('*.part'):
      part.unlink()
    todo = [s for s in sources if not staging.report_path(out, s.key).exists()]
    _read_all(todo, len(sources), out, config, work, eyes, tell)
    videos = [staging.load(out, source.key) for source in sources]
    plan = packing.make_plan(videos, config, held_out)
    shards = packing.write_shards(out, videos, plan)
    page = pathlib.Path(out, 'report.html')
    if todo or shards or not page.exists():
      report.write(page, videos, plan, config)
    if not plan.clips:
      raise UserError(f'none of {len(sources)} videos gave a clip; {page} says why')
    if shards or not pathlib.Path(out, 'dataset_info.json').exists():
      builder.write_catalogue(out)
    people = {
      videos[place.video].kept[place.record].identity
      for places in plan.shards.values()
      for place in places
    }
    return Made(len(todo), shards, plan.clips, len(people))


def _read_all(todo, total: int, out, config, work: Work, eyes, tell) -> None:
  """Reads the videos that have not been read."""
  from tqdm import tqdm

  if not todo:
    return
  setup = functools.partial(make_worker, out, config, eyes)
  limits = (work.workers, work.limit, work.silence, MEMORY)
  with tqdm(total=total, initial=total - len(todo), unit='video') as bar:
    for done in run_watched(setup, todo, *limits):
      found = done.value
      if found is None:
        found = staging.failed(done.job.key, done.reason, done.note)
        staging.write_report(out, found, [])
      with bar.external_write_mode():
        tell(line_of(done.job, found))
      bar.update()


def make_worker(out, config: Config, eyes: Callable[[], Eyes]):
  """The work of a process: a source to the report of it."""
  from data_pipelines.builder import serializer

  serialize, nets = serializer(), eyes()

  def work(source: Source, beat: Callable[[], None]) -> Report:
    found = staging.stage(source, out, config, nets, serialize, beat)
    # Pictures are on disk; the parent only tells how it went.
    short = [dataclasses.replace(o, picture='', curve=[]) for o in found.outcomes]
    return dataclasses.replace(found, outcomes=short)

  return work


def line_of(source: Source, found: Report) -> str:
  """What became of a video, in a line."""
  if found.reason is not None:
    return f'{source.path}: {found.reason} ({found.note})'
  dropped = collections.Counter(o.reason for o in found.outcomes if o.reason)
  kept = sum(o.reason is None for o in found.outcomes)
  why = ', '.join(f'{reason} {n}' for reason, n in sorted(dropped.items()))
  return f'{source.path}: {kept} clips' + (f'; dropped: {why}' if why else '')


def config_of(size: int, changes: Sequence[str]) -> Config:
  """A config with some values changed.

  Args:
    size: side of the crops.
    changes: `name=value` each.

  Raises:
    UsageError: no such name, or not a number.
  """
  known = {field.name: field.type for field in dataclasses.fields(Config)}
  values: dict[str, float] = {'size': size}
  for change in changes:
    name, _, text = change.partition('=')
    if name not in known:
      raise UsageError(f'--set {name}: no such name; there are {", ".join(known)}')
    try:
      values[name] = known[name](text)
    except ValueError:
      raise UsageError(f'--set {change}: {text!r} is not a number') from None
  return Config(**values)


def main(arguments: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.prepare', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  add_arguments(parser)
  add = parser.add_argument
  add('--workers', type=int, default=os.cpu_count() or 1, help='processes')
  add('--time-limit', type=float, default=Work.limit, help='seconds for one file')
  add('--silence', type=float, default=Work.silence,
      help='seconds without progress until a file is given up')  # fmt: skip
  args = parser.parse_args(arguments)

  def run() -> None:
    work = Work(args.workers, args.time_limit, args.silence)
    sources = find_videos(args.inputs, args.people, args.licence)
    config = config_of(args.size, args.set)
    made = prepare(sources, args.out, config, args.held_out, work, tell=_print)
    print(
      f'{args.out}: {made.clips} clips of {made.people} people from {len(sources)} '
      f'videos; {pathlib.Path(args.out, "report.html")}'
    )

  return run_command('prepare', run, args.debug)


def add_arguments(parser: argparse.ArgumentParser) -> None:
  """The arguments that say what is made."""
  add = parser.add_argument
  add('inputs', nargs='+', help='videos, or folders of videos')
  add('--out', required=True, help='folder of the records')
  add('--size', type=int, default=512, help='side of the crops in pixels')
  add(
    '--people', default='file', choices=('file', 'folder'),
    help='whether every file, or every folder in an input, has people of its own',
  )  # fmt: skip
  add('--licence', default='unknown', help='what the videos may be used for')
  add('--held-out', type=float, default=0.0, help='share of people for validation')
  add('--set', nargs='+', default=[], metavar='NAME=VALUE', help='other thresholds')
  add('--debug', action='store_true', help='show where an error came from')


def _print(line: str) -> None:
  print(line, file=sys.stderr)


if __name__ == '__main__':
  sys.exit(main())
