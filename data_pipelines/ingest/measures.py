"""What the report says of a number and of a reason: units, limits, what to do next."""

from typing import NamedTuple

from data_pipelines.ingest.config import Config


class Measure(NamedTuple):
  """A number of `Outcome.numbers`.

  Attributes:
    title: what it is, and its unit.
    limit: the field of `Config` that clips are held against.
    least: clips below the limit are dropped; otherwise those above it.
  """

  title: str
  limit: str
  least: bool

  def at(self, config: Config) -> float:
    """The limit, in the unit of the number."""
    value = getattr(config, self.limit)
    return value * config.size if self.limit == 'min_scale' else value


MEASURES = {
  'side': Measure('side of the crop in the source, px', 'min_scale', True),
  'rate': Measure('new pictures a second', 'min_rate', True),
  'outside': Measure('share of the crop outside the picture', 'max_outside', False),
  'others': Measure('share of looks with another face in it', 'max_other', False),
  'speech': Measure('share of the clip with speech', 'min_speech', True),
  'sharpness': Measure('sharpness, 0 to 1', 'min_sharpness', True),
  'visible': Measure('share of frames with trusted labels', 'min_visible', True),
  'yaw': Measure('yaw, degrees (95th percentile)', 'max_yaw', False),
  'pitch': Measure('pitch, degrees (95th percentile)', 'max_pitch', False),
  'roll': Measure('roll, degrees (95th percentile)', 'max_roll', False),
  'mouth': Measure('mouth opening, standard deviation', 'min_mouth', True),
  'alike': Measure('least likeness of the person to itself', 'min_same', True),
}
# The numbers that a reason was decided by.
DECIDED_BY = {
  'frame rate': ('rate',), 'resolution': ('side',), 'cut off': ('outside',),
  'several faces': ('others',), 'blur': ('sharpness',), 'no speech': ('speech',),
  'occluded': ('visible',), 'pose': ('yaw', 'pitch', 'roll'),
  'identity switch': ('alike',), 'voice over': ('mouth',),
}  # fmt: skip
NEXT = {
  'broken file': 'play it in another program; if that fails too, fetch it again',
  'too large': 'scale it down to 8K or less',
  'time limit': 'play it in another program; `prepare` has --time-limit and --silence',
  'crashed': 'play it in another program; if memory ran out, take fewer workers',
  'no face': 'nothing, if nobody is in it',
  'short': '--set min_seconds=1 takes shorter ones; stage 2 needs 2 s',
  'frame rate': 'find a copy with 20 or more; --set min_rate=12 takes these',
  'interlaced': 'weave it apart first: ffmpeg -i FILE -vf bwdif NEW',
  'resolution': 'take a smaller --size, or --set min_scale=0.3 and blurred crops',
  'cut off': 'look at the pictures; --set max_outside=0.2 takes more',
  'several faces': 'look at the pictures; --set max_other=0.3 takes more',
  'blur': 'look at the pictures; --set min_sharpness=0 takes them',
  'no sound': '--set min_speech=0 takes them; stage 1 needs no sound',
  'no speech': '--set min_speech=0 takes them; stage 1 needs no sound',
  'occluded': 'look at the pictures; --set min_visible=0.5 takes more',
  'pose': '--set max_yaw=75 takes more; labels are guesses there',
  'identity switch': 'look at the pictures; --set min_same=0.3 takes more',
  'voice over': 'look at the pictures; --set min_mouth=0 takes them',
  'sync': 'shift the sound by the frames of the last histogram',
  'duplicate': 'nothing',
}
