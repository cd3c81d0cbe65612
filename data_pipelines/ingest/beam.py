"""`prepare` on many machines: an Apache Beam pipeline that makes the same bytes.

    python -m data_pipelines.ingest.beam VIDEOS... --out gs://BUCKET/records -- \\
      --runner=DataflowRunner --project=... --region=... --temp_location=gs://... \\
      --sdk_container_image=... --number_of_worker_harness_threads=1

Three steps, each of which leaves alone what is finished, so that a pipeline that failed
is simply started again: a video is one element of the first; then one machine reads all
the small reports and plans the shards; a shard is one element of the last. Inputs and
output may be anything that Beam's file systems open. Every video is read in a process
of its own, which is killed where it hangs. Needs the extra `[beam]`.
"""

import argparse
import dataclasses
import functools
import os
import pathlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

from data_pipelines import builder, prepare
from data_pipelines.beam_command import check_address, options_of, parted
from data_pipelines.command import run_command
from data_pipelines.errors import UserError
from data_pipelines.ingest import inputs, packing, report, staging
from data_pipelines.ingest.config import Config
from data_pipelines.ingest.eyes import Eyes, real_eyes
from data_pipelines.ingest.outcome import Source
from data_pipelines.ingest.watched_pool import run_watched
from data_pipelines.synthetic.recipe import claim


@dataclasses.dataclass(frozen=True)
class Order:
  """What the pipeline makes, and how; travels to every worker.

  Attributes:
    out: folder of the corpus, as Beam writes it.
    config, held_out: as for `prepare`.
    work: time limits; its `workers` is 0 to read videos in Beam's own process.
    eyes: makes the nets.
  """

  out: str
  config: Config
  held_out: float = 0.0
  work: prepare.Work = prepare.Work()
  eyes: Callable[[], Eyes] = real_eyes


def find_videos(patterns: Sequence[str], people: str, licence: str) -> list[Source]:
  """`inputs.find_videos` for folders that Beam's file systems know.

  Raises:
    UserError: no video there.
  """
  if all(os.path.exists(pattern) for pattern in patterns):
    return inputs.find_videos(patterns, people, licence)
  from apache_beam.io.filesystems import FileSystems

  found = []
  for given in patterns:
    root = given.rstrip('/') + '/'
    for match in FileSystems.match([root + '**']):
      files = match.metadata_list
      found += [(m.path[len(root) :], m.path, m.size_in_bytes) for m in files]
  sources = []
  for name, path, size in sorted(found):
    if pathlib.PurePosixPath(name).suffix.lower() in inputs.SUFFIXES:
      person = name.split('/')[0] if people == 'folder' and '/' in name else ''
      sources.append(Source(inputs.key_of(name), path, person, licence, size))
  if not sources:
    raise UserError(f'no video in {", ".join(patterns)}')
  return sorted(sources)


def read_one(source: Source, order: Order) -> str:
  """Reads one video and lays its report and records beside the others; its key."""
  from apache_beam.io.filesystems import FileSystems

  there = _join(order.out, staging.report_path('', source.key))
  if FileSystems.exists(there):
    return source.key
  with tempfile.TemporaryDirectory(prefix='video') as folder:
    local = source._replace(path=_fetch(source.path, folder))
    setup = functools.partial(prepare.make_worker, folder, order.config, order.eyes)
    limits = (order.work.workers, order.work.limit, order.work.silence, prepare.MEMORY)
    (done,) = run_watched(setup, [local], *limits)
    if done.value is None:
      failed = staging.failed(source.key, done.reason, done.note)
      staging.write_report(folder, failed, [])
    # The report is last: it says that the records are there.
    for path in (staging.records_path, staging.report_path):
      here = path(folder, source.key)
      if here.exists():
        _send(here, _join(order.out, path('', source.key)))
  return source.key


class ShardJob(NamedTuple):
  """A shard to write: its split and number, of how many, and where its records lie."""

  split: str
  number: int
  total: int
  pieces: tuple[staging.Piece, ...]


def plan_all(keys: Sequence[str], order: Order) -> list[ShardJob]:
  """Plans the shards from all reports, and writes report.html."""
  with tempfile.TemporaryDirectory(prefix='plan') as folder:
    videos = []
    for key in sorted(keys):
      path = staging.report_path('', key)
      _get(_join(order.out, path), pathlib.Path(folder, path))
      videos.append(staging.load(folder, key))
    plan = packing.make_plan(videos, order.config, order.held_out)
    page = pathlib.Path(folder, 'report.html')
    report.write(page, videos, plan, order.config)
    _send(page, _join(order.out, pathlib.Path('report.html')))
  if not plan.clips:
    raise UserError(f'none of {len(videos)} videos gave a clip; see report.html')
  return [
    ShardJob(split, n, plan.totals[split], tuple(packing.pieces_of(videos, places)))
    for (split, n), places in sorted(plan.shards.items())
  ]


def pack_one(job: ShardJob, order: Order) -> builder.ShardInfo:
  """Writes one shard, unless it is there."""
  from apache_beam.io.filesystems import FileSystems

  name = builder.shard_path('', job.split, job.number, job.total)
  there = _join(order.out, name)
  if not FileSystems.exists(there):
    records = []
    for piece in job.pieces:
      path = _join(order.out, staging.records_path('', piece.key))
      with FileSystems.open(path, 'application/octet-stream') as file:
        file.seek(piece.start)
        records.append(staging.checked(file.read(piece.size), piece))
    with tempfile.TemporaryDirectory(prefix='shard') as folder:
      here = pathlib.Path(folder, name)
      builder.write_shard(here, records)
      _send(here, there)
  size = FileSystems.match([there])[0].metadata_list[0].size_in_bytes
  return builder.ShardInfo(job.split, job.number, len(job.pieces), size)


def finish(shards: Sequence[builder.ShardInfo], keys: Sequence[str], order: Order):
  """Writes the catalogue; then the records that lie in shards can go."""
  from apache_beam.io.filesystems import FileSystems

  builder.write_catalogue(order.out, shards)
  old = [_join(order.out, staging.records_path('', key)) for key in keys]
  FileSystems.delete([path for path in old if FileSystems.exists(path)])


def pipeline(root, sources: Sequence[Source], order: Order):
  """The pipeline.

  Args:
    root: an `apache_beam.Pipeline`.
    sources: the videos.
    order: what to make of them.
  """
  import apache_beam as beam

  keys = [source.key for source in sources]
  return (
    root
    | 'videos' >> beam.Create(list(sources))
    | 'apart' >> beam.Reshuffle()  # without it one worker would take them all
    | 'read' >> beam.Map(read_one, order)
    | 'all read' >> beam.combiners.ToList()
    | 'plan' >> beam.FlatMap(lambda _: plan_all(keys, order))
    | 'shards apart' >> beam.Reshuffle()
    | 'pack' >> beam.Map(pack_one, order)
    | 'all packed' >> beam.combiners.ToList()
    | 'catalogue' >> beam.Map(finish, keys, order)
  )


def _join(out: str, path: pathlib.Path) -> str:
  from apache_beam.io.filesystems import FileSystems

  return FileSystems.join(out, *path.parts)


def _fetch(path: str, folder: str) -> str:
  """A local path of a video."""
  if os.path.exists(path):
    return path
  here = pathlib.Path(folder, pathlib.PurePosixPath(path).name)
  _get(path, here)
  return str(here)


def _get(there: str, here: pathlib.Path) -> None:
  from apache_beam.io.filesystems import FileSystems

  here.parent.mkdir(parents=True, exist_ok=True)
  with FileSystems.open(there, 'application/octet-stream') as source:
    with open(here, 'wb') as file:
      shutil.copyfileobj(source, file, 1 << 20)


def _send(here: pathlib.Path, there: str) -> None:
  """Copies under another name and renames, so that nothing half looks finished."""
  from apache_beam.io.filesystems import FileSystems

  folder = there.rsplit('/', 1)[0]
  if not FileSystems.exists(folder):
    FileSystems.mkdirs(folder)
  part = f'{there}.{os.getpid()}.part'
  with FileSystems.create(part, 'application/octet-stream') as file:
    with open(here, 'rb') as source:
      shutil.copyfileobj(source, file, 1 << 20)
  if FileSystems.exists(there):
    FileSystems.delete([there])
  FileSystems.rename([part], [there])


def main(arguments: list[str] | None = None) -> int:
  ours, beams = parted(sys.argv[1:] if arguments is None else arguments)
  parser = argparse.ArgumentParser(
    prog='python -m data_pipelines.ingest.beam', description=__doc__,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  prepare.add_arguments(parser)
  args = parser.parse_args(ours)

  def run() -> None:
    check_address(args.out)
    options = options_of(beams)
    order = Order(args.out, prepare.config_of(args.size, args.set), args.held_out)
    sources = find_videos(args.inputs, args.people, args.licence)
    make(sources, order, options)
    print(f'{args.out}: {len(sources)} videos; see report.html there')

  return run_command('beam', run, args.debug)


def make(sources: Sequence[Source], order: Order, options) -> None:
  """Runs the pipeline.

  Args:
    sources: the videos.
    order: what to make of them.
    options: `PipelineOptions`.
  """
  import apache_beam as beam

  claim(order.out, inputs.take_stock(sources, order.config, order.held_out))
  with beam.Pipeline(options=options) as root:
    pipeline(root, sources, order)


if __name__ == '__main__':
  # Under its own name: what other machines unpickle must not be `__main__`'s.
  from data_pipelines.ingest.beam import main as imported

  sys.exit(imported())
