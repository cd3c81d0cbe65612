"""What a corpus is made of: sizes, shares, and who belongs to which split."""

import dataclasses
import json
import os

from data_pipelines.errors import UsageError, UserError

# Seeds of people: a split starts where no corpus of another split will ever reach.
SPLIT_OFFSET = {
  'train': 0, 'validation': 1 << 40, 'test': 2 << 40, 'oracle': 3 << 40,
}  # fmt: skip
SPLITS = ('train', 'validation', 'test')  # what `synthesize` makes
_SEED_STRIDE = 1 << 24  # clips that one --seed may hold
SHARD_CLIPS = 16
SOURCE = 'rendered by vasa_jax'
LICENCE = 'CC0-1.0'


@dataclasses.dataclass(frozen=True)
class Recipe:
  """What a corpus is made of; equal recipes give equal bytes.

  Attributes:
    clips: how many clips.
    size: side of the square frames in pixels.
    seed: another seed draws other people.
    split: train, validation or test; voices, texts and people are the split's own.
    stills: share of clips that are unrelated stills instead of talk, 0..1.
    frames: frames of a clip of stills.
    supersample: samples a pixel along each side; 2 is smooth, 1 is twice as fast.
    art: share of clips that look painted or drawn, 0..1.
    listening: share of talking clips in which nothing is said, 0..1.
    plain: leaves lens, sensor, codec and room out, for measuring the renderer alone.
    voices: voices of `speech.available_voices(None)` to draw the split's speakers from.
    seconds: shortest and longest talking clip.
  """

  clips: int
  size: int
  seed: int = 0
  split: str = 'train'
  stills: float = 0.0
  frames: int = 20
  supersample: int = 2
  art: float = 0.1
  listening: float = 0.04
  plain: bool = False
  voices: tuple[str, ...] = ()
  seconds: tuple[float, float] = (2.0, 4.0)

  def __post_init__(self):
    if self.split not in SPLITS:
      raise UsageError(f'--split {self.split!r} is none of {", ".join(SPLITS)}')
    if not 0 < self.clips <= _SEED_STRIDE:
      raise UsageError(f'--clips must be 1 to {_SEED_STRIDE}, not {self.clips}')
    if not 0 <= self.seed < (1 << 40) // _SEED_STRIDE:
      raise UsageError(f'--seed must be 0 to {(1 << 40) // _SEED_STRIDE - 1}')
    if not 16 <= self.size <= 2048:
      raise UsageError(f'--size must be 16 to 2048 pixels, not {self.size}')
    for name in ('stills', 'art', 'listening'):
      if not 0 <= getattr(self, name) <= 1:
        raise UsageError(f'--{name} is a share, 0 to 1, not {getattr(self, name)}')
    if self.frames < 2 or self.supersample < 1:
      raise UsageError('--frames must be 2 or more and --supersample 1 or more')
    if not self.voices and self.stills < 1:
      raise UsageError('--voices: name at least one voice')

  def person(self, index: int) -> int:
    """Seed of the person in clip `index`; no two clips of all splits share one."""
    return SPLIT_OFFSET[self.split] + self.seed * _SEED_STRIDE + index

  def is_still(self, index: int) -> bool:
    """Stills are spread evenly over the corpus."""
    return int((index + 1) * self.stills + 1e-9) > int(index * self.stills + 1e-9)

  @property
  def shards(self) -> int:
    """How many files the corpus has."""
    return -(-self.clips // SHARD_CLIPS)

  def shard(self, number: int) -> range:
    """The clips of a shard."""
    return range(number * SHARD_CLIPS, min((number + 1) * SHARD_CLIPS, self.clips))


def claim(folder: str | os.PathLike, recipe: Recipe) -> None:
  """Notes the recipe in the folder, or checks that it is the one noted there.

  Args:
    folder: made if missing; a local path, or a bucket's address where etils opens it.
    recipe: of one split; the splits of a corpus lie beside each other.

  Raises:
    UserError: the folder cannot be written, or holds a corpus of another recipe.
  """
  from etils import epath

  path = epath.Path(folder) / f'recipe-{recipe.split}.json'
  text = json.dumps(dataclasses.asdict(recipe), indent=1) + '\n'
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
      if path.read_text() != text:
        raise UserError(
          f'{folder} holds another {recipe.split} corpus (see {path.name}); '
          'choose another --out, or give the command that made it'
        )
      return
    part = path.parent / (path.name + '.part')
    try:
      part.write_text(text)
      part.replace(path)
    finally:
      part.unlink(missing_ok=True)
  except OSError as error:
    raise UserError(f'cannot write in {folder}: {error.strerror or error}') from error
