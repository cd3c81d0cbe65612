"""Clips as a TFDS data set of ArrayRecord files, written and read without TensorFlow.

Two ways to the same files: `Clips` is an ordinary TFDS builder over any iterator of
clips; `write_shard` and `write_catalogue` write shards one by one, so that hours of
rendering survive an interruption. Either is read by `open_clips`, or by anybody with
`tfds.builder_from_directory(folder).as_data_source('train')`: no code of ours is
needed.
"""

import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import tensorflow_datasets as tfds

from data_pipelines import schema
from data_pipelines.errors import UserError

SPLITS = ('train', 'validation', 'test')
_SUFFIX = 'array_record'
DESCRIPTION = 'Talking heads: frames at 25 Hz, sound at 16 kHz, labels for every frame.'


class Clips(tfds.core.GeneratorBasedBuilder):
  """A TFDS builder over clips.

    Clips(data_dir=folder, clips={'train': lambda: iterator}).download_and_prepare()

  Args:
    clips: for each split a function that gives an iterator of `schema.Clip`.
  """

  VERSION = tfds.core.Version(schema.VERSION)
  name = schema.NAME
  # Where TFDS would look for files beside our code; it has none. (Looking for them
  # takes importlib_resources, which TFDS does not install.)
  code_path = None

  def __init__(
    self, *, clips: dict[str, Callable[[], Iterable[schema.Clip]]] | None = None, **more
  ):
    self._clips = clips or {}
    more.setdefault('file_format', _SUFFIX)
    super().__init__(**more)

  def _info(self):
    return tfds.core.DatasetInfo(
      builder=self, features=schema.features(), description=DESCRIPTION
    )

  def _split_generators(self, dl_manager):
    del dl_manager  # nothing is downloaded
    return {
      split: self._generate_examples(clips()) for split, clips in self._clips.items()
    }

  def _generate_examples(self, clips):
    for clip in clips:
      yield clip.clip_id, schema.to_example(clip)


def serializer() -> Callable[[schema.Clip], bytes]:
  """A function from a clip to the bytes of its record."""
  from tensorflow_datasets.core import example_serializer

  features = schema.features()
  core = example_serializer.ExampleSerializer(features.get_serialized_info())

  def serialize(clip: schema.Clip) -> bytes:
    example = core.get_tf_example(features.encode_example(schema.to_example(clip)))
    # Fields of an example are a hash map: without `deterministic`, every process writes
    # them in an order of its own, and equal clips differ in their bytes.
    return example.SerializeToString(deterministic=True)

  return serialize


def shard_path(folder: str | os.PathLike, split: str, shard: int, shards: int):
  """Where a shard lies."""
  name = f'{schema.NAME}-{split}.{_SUFFIX}-{shard:05d}-of-{shards:05d}'
  return pathlib.Path(folder, name)


def write_shard(path: pathlib.Path, records: Sequence[bytes]) -> None:
  """Writes a shard whole or not at all.

  Raises:
    UserError: the disk is full or the folder cannot be written.
  """
  from array_record.python import array_record_module

  part = path.with_name(path.name + '.part')
  try:
    part.touch()  # array_record does not say why it cannot open a file; this does
    # group_size:1 gives every record its own chunk: random access reads no neighbours.
    # Frames are JPEG: to compress them again saves 5 % and doubles the time of a read.
    writer = array_record_module.ArrayRecordWriter(
      str(part), 'group_size:1,uncompressed'
    )
    try:
      for record in records:
        writer.write(record)
        if not writer.ok():
          raise OSError(f'no room for {len(record)} bytes')
    finally:
      writer.close()
    reader = array_record_module.ArrayRecordReader(str(part))
    found = reader.num_records()
    reader.close()
    if found != len(records):
      raise OSError(f'only {found} of {len(records)} records were written')
    with open(part, 'rb') as file:
      os.fsync(file.fileno())
    os.replace(part, path)
  except (OSError, RuntimeError, ValueError) as error:
    part.unlink(missing_ok=True)
    why = ' '.join(str(error).split())[:120]
    raise UserError(
      f'cannot write {path}: {why}; free some space or choose another --out'
    ) from error


class ShardInfo(NamedTuple):
  """A finished shard: its split, number, records and size in bytes."""

  split: str
  number: int
  records: int
  num_bytes: int


def finished_shards(folder: str | os.PathLike) -> list[ShardInfo]:
  """The shards of the complete splits in a local folder."""
  from array_record.python import array_record_module

  found = []
  for split in SPLITS:
    paths = sorted(pathlib.Path(folder).glob(f'{schema.NAME}-{split}.{_SUFFIX}-*-of-*'))
    paths = [p for p in paths if not p.name.endswith('.part')]
    if not paths or len(paths) != int(paths[0].name.rsplit('-', 1)[1]):
      continue
    for number, path in enumerate(paths):
      reader = array_record_module.ArrayRecordReader(str(path))
      found.append(ShardInfo(split, number, reader.num_records(), path.stat().st_size))
      reader.close()
  return found


def write_catalogue(
  folder: str | os.PathLike, shards: Sequence[ShardInfo] | None = None
) -> None:
  """Writes `dataset_info.json` and `features.json`.

  Args:
    folder: of the corpus; a bucket's address too, where `shards` are given.
    shards: all that lie there; None looks (`finished_shards`).

  Raises:
    UserError: the folder cannot be written.
  """
  from tensorflow_datasets.core import dataset_info

  shards = sorted(finished_shards(folder) if shards is None else shards)
  infos = []
  for split in SPLITS:
    here = [shard for shard in shards if shard.split == split]
    if not here:
      continue
    template = tfds.core.ShardedFileTemplate(
      data_dir=str(folder),
      dataset_name=schema.NAME,
      split=split,
      filetype_suffix=_SUFFIX,
    )
    infos.append(
      tfds.core.SplitInfo(
        name=split,
        shard_lengths=[shard.records for shard in here],
        num_bytes=sum(shard.num_bytes for shard in here),
        filename_template=template,
      )
    )
  try:
    # tfds.folder_dataset.write_metadata would refuse unfinished splits beside these
    identity = dataset_info.DatasetIdentity(
      name=schema.NAME,
      version=tfds.core.Version(schema.VERSION),
      data_dir=str(folder),
      module_name='',
    )
    info = dataset_info.DatasetInfo(
      builder=identity, features=schema.features(), description=DESCRIPTION
    )
    info.set_file_format(_SUFFIX)
    info.set_splits(tfds.core.splits.SplitDict(infos))
    info.write_to_directory(folder)
  except OSError as error:
    raise UserError(f'cannot write the catalogue in {folder}: {error}') from error


def find_dataset(folder: str | os.PathLike) -> pathlib.Path:
  """The folder that holds `dataset_info.json`, at or below `folder`.

  Raises:
    UserError: there is none, or there are several.
  """
  folder = pathlib.Path(folder)
  if not folder.is_dir():
    raise UserError(f'{folder} is not a folder')
  found = sorted(path.parent for path in folder.rglob('dataset_info.json'))
  if len(found) != 1:
    kind = 'no finished corpus' if not found else f'{len(found)} corpora'
    raise UserError(
      f'{kind} in {folder}; make one with python -m data_pipelines.synthetic.synthesize'
    )
  return found[0]


def split_shards(folder: str | os.PathLike, split: str) -> list[pathlib.Path]:
  """The files of a split, as the catalogue names them: they may be gone."""
  info = tfds.builder_from_directory(str(find_dataset(folder))).info
  return [pathlib.Path(path) for path in info.splits[split].filepaths]


def open_clips(folder: str | os.PathLike, split: str = 'train'):
  """Random access to the examples of a split; decode them with `from_example`.

  Raises:
    UserError: no corpus there, or it has no such split.
  """
  builder = tfds.builder_from_directory(str(find_dataset(folder)))
  if str(builder.info.version).split('.')[0] != schema.VERSION.split('.')[0]:
    raise UserError(
      f'{folder} holds records of version {builder.info.version}, this program reads '
      f'{schema.VERSION}: make the corpus again'
    )
  if split not in builder.info.splits:
    there = ', '.join(builder.info.splits)
    raise UserError(f'{folder} has no split {split!r}; it has {there or "none"}')
  return builder.as_data_source(split)
