"""What decides which parts of a video become records: every number, with its reason."""

import dataclasses

from data_pipelines.errors import UsageError
from data_pipelines.schema import FPS


@dataclasses.dataclass(frozen=True)
class Config:
  """Sizes and thresholds; equal configs and videos give equal bytes.

  Attributes:
    size: side of the crops in px. The paper trains at 512.
    min_seconds: shortest clip. Below 2 s a motion window (2 s) does not fit.
    max_seconds: longest clip. One is held in memory while it is made: 10 s are about
      0.5 GB at 512 px.
    min_rate: pictures a second that the file must really bring. Below 20 a mouth is
      seen too late to belong to its sound, and repeated pictures teach jerks.
    min_scale: side of the crop in px of the source over `size`. Below .5 the crop is
      blown up more than twice: it teaches the decoder blur.
    max_outside: share of the crop that lies outside the picture (it is filled by
      mirroring). Above .1 the top of the head or the chin is made up.
    max_other: share of the clip's looks with another face in the crop. Above .1 it is
      not clear whose face the encoders see.
    min_sharpness: of `perceive.quality.sharpness`, median over the clip, 0..1.
    max_yaw, max_pitch, max_roll: degrees, 95th percentile of the absolute value. Beyond
      them the far eye is hidden and landmarks, gaze and mouth are guesses.
    min_visible: share of frames whose labels can be trusted; a hand, a microphone or
      hair over the face lowers it.
    min_same: likeness (`duplicates.likeness`) of the descriptors within one clip.
      Below .5 the track has jumped to another person (the same person under other light
      stays above).
    join: likeness above which two tracks of a video are the same person. Among 26
      rendered people .7 merged none and parted one person's pictures in 3 of 100 pairs.
    min_speech: share of the clip in which somebody speaks. Set 0 to keep silent video
      (stage 1 needs no sound).
    min_mouth: standard deviation of the mouth opening (share of the mouth's width) of a
      clip with speech. Below it the voice belongs to somebody else.
    max_offset: frames. A video whose mouths follow the sound's energy best farther off
      than this, clearly, has its sound shifted (or dubbed).
    picture_bits, sound_bits: share of bits in which two clips may differ and still be
      the same recording: copies in another quality or size.
  """

  size: int = 512
  min_seconds: float = 2.0
  max_seconds: float = 10.0
  min_rate: float = 20.0
  min_scale: float = 0.5
  max_outside: float = 0.1
  max_other: float = 0.1
  min_sharpness: float = 0.1
  max_yaw: float = 60.0
  max_pitch: float = 40.0
  max_roll: float = 45.0
  min_visible: float = 0.8
  min_same: float = 0.5
  join: float = 0.7
  min_speech: float = 0.3
  min_mouth: float = 0.01
  max_offset: int = 2
  picture_bits: float = 0.08
  sound_bits: float = 0.15

  def __post_init__(self):
    if not 16 <= self.size <= 2048:
      raise UsageError(f'size must be 16 to 2048 px, not {self.size}')
    if not 0.2 <= self.min_seconds <= self.max_seconds <= 60:
      raise UsageError('0.2 <= min_seconds <= max_seconds <= 60 does not hold')

  @property
  def min_frames(self) -> int:
    return round(self.min_seconds * FPS)

  @property
  def max_frames(self) -> int:
    return round(self.max_seconds * FPS)


# What can befall a clip or a whole video, in the order in which it is looked for.
REASONS = {
  'broken file': 'no video, or damaged beyond reading',
  'too large': 'pictures of more pixels than 8K have',
  'time limit': 'the decoder hung, or took longer than it was given',
  'crashed': 'the decoder took its process down with it, or memory ran out',
  'no face': 'no face was found',
  'short': 'less than the shortest clip',
  'frame rate': 'too few pictures a second',
  'interlaced': 'two half pictures in each, woven like a comb',
  'resolution': 'the face has too few pixels',
  'cut off': 'the head reaches out of the picture',
  'several faces': 'another face reaches into the crop',
  'blur': 'not sharp enough',
  'no sound': 'the file has no sound that can be decoded',
  'no speech': 'too little speech',
  'occluded': 'the face is hidden or its landmarks are not trusted',
  'pose': 'the head is turned too far',
  'identity switch': 'it begins with one person and ends with another',
  'voice over': 'speech, but the mouth does not move',
  'sync': 'sound and mouth do not belong to the same moment',
  'duplicate': 'the same recording as a clip before it',
}
