"""The camera after the picture is formed: lens, shutter, sensor, grading, codec.

`sample_camera` draws one camera for a clip; `expose` sends the frames of a clip through
it. Noise differs from frame to frame; everything else stays as it is during a clip. A
quarter of all clips are almost clean.

The angle of view is the renderer's: at another `fov` it moves the camera to the
distance where the face is as large as at 24 degrees, so that z_pose keeps its meaning.
"""

import dataclasses

import cv2
import numpy as np

REFERENCE_FOV = 24.0


@dataclasses.dataclass(frozen=True)
class Camera:
  """What a camera does to a clip; the defaults do nothing.

  Lengths are shares of the picture's side, so that a camera does the same at any size.

  Attributes:
    fov: full angle of view in degrees.
    tilt: yaw, pitch, roll of the camera about the person, radians.
    defocus: standard deviation of the blur of everything.
    motion: share of the time between frames that the shutter is open, 0..1.
    vignette: how much darker the corners are, 0..1.
    fringe: colour fringes at the corners: red is larger and blue smaller by this share.
    exposure: stops, after the renderer's own exposure.
    balance: factors of red, green, blue.
    contrast, gamma, saturation: 1 = as it is.
    lift: black becomes this much grey (faded film), 0..1.
    split: colour added to shadows and subtracted from lights: (3,).
    grey: 0 colours, 1 black and white.
    sepia: tint of black and white, 0..1.
    shot, read: noise that grows with the square root of light (at white), and that is
      everywhere.
    grain: size of noise in shares of the side; 0: one pixel.
    sharpening: strength of the halo at edges.
    softness: factor by which the resolution is cut before it is enlarged again, >= 1.
    quality: JPEG quality 1..100; 100 leaves the codec out.
    codec_scale: the codec works at this share of the side, so that its blocks grow.
  """

  fov: float = REFERENCE_FOV
  tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)
  defocus: float = 0.0
  motion: float = 0.0
  vignette: float = 0.0
  fringe: float = 0.0
  exposure: float = 0.0
  balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
  contrast: float = 1.0
  gamma: float = 1.0
  saturation: float = 1.0
  lift: float = 0.0
  split: tuple[float, float, float] = (0.0, 0.0, 0.0)
  grey: float = 0.0
  sepia: float = 0.0
  shot: float = 0.0
  read: float = 0.0
  grain: float = 0.0
  sharpening: float = 0.0
  softness: float = 1.0
  quality: int = 100
  codec_scale: float = 1.0


def sample_camera(rng: np.random.Generator) -> Camera:
  """A camera: a quarter almost clean, most ordinary, some bad, some styled."""

  def some(share, low, high, power=1.0):
    """A value in a share of cases, 0 in the others; two draws always."""
    hit, value = rng.random() < share, rng.random() ** power
    return float(low + (high - low) * value) if hit else 0.0

  fov = float(np.clip(np.exp(rng.normal(np.log(23.5), 0.16)), 14, 40))
  tilt = rng.normal(0, (0.06, 0.05, 0.025))
  tilt = tuple(float(x) for x in np.clip(tilt, -0.2, 0.2))
  if rng.random() < 0.25:
    warmth, tint = rng.normal(0, 0.02), rng.normal(0, 0.01)
    return Camera(
      fov=fov,
      tilt=tilt,
      exposure=float(rng.normal(0, 0.1)),
      balance=(1 + warmth, 1 + tint, 1 - warmth),
      contrast=float(rng.normal(1, 0.03)),
      saturation=float(rng.normal(1, 0.05)),
      read=float(rng.uniform(0, 0.004)),
      quality=int(rng.integers(92, 100)),
    )
  warmth, tint = rng.normal(0, 0.08), rng.normal(0, 0.025)
  dim = rng.random()
  exposure = float(np.clip(rng.normal(0.08, 0.28), -0.7, 0.6))
  shot, read = some(0.7, 0.002, 0.024, 2), some(0.8, 0.001, 0.009, 2)
  if dim < 0.09:  # too little light: darker, and the amplifier shows
    exposure -= rng.uniform(0.4, 1.4)
    shot, read = rng.uniform(0.015, 0.05), rng.uniform(0.006, 0.022)
  elif dim < 0.15:
    exposure += rng.uniform(0.4, 1.0)
  monochrome = rng.random()
  return Camera(
    fov=fov,
    tilt=tilt,
    defocus=some(0.35, 0.0008, 0.006, 2),
    motion=some(0.7, 0.1, 0.9),
    vignette=some(0.4, 0.05, 0.55, 1.5),
    fringe=some(0.25, 0.0008, 0.005, 1.5),
    exposure=exposure,
    balance=tuple(np.exp([warmth, tint, -warmth]).tolist()),
    contrast=float(np.clip(rng.normal(1, 0.13), 0.65, 1.45)),
    gamma=float(np.clip(rng.normal(1, 0.09), 0.75, 1.3)),
    saturation=float(np.clip(rng.normal(1, 0.2), 0.35, 1.6)),
    lift=some(0.15, 0.01, 0.1),
    split=tuple(
      (rng.normal(0, 0.03, 3) * (rng.random() < 0.25)).clip(-0.08, 0.08).tolist()
    ),
    grey=1.0 if monochrome < 0.06 else 0.0,
    sepia=some(0.3, 0.2, 1.0) if monochrome < 0.06 else 0.0,
    shot=float(shot),
    read=float(read),
    grain=some(0.5, 0.002, 0.008),
    sharpening=some(0.3, 0.2, 1.5),
    softness=1 + some(0.25, 0.2, 2.0, 1.5),
    quality=100 - int(some(0.75, 5, 75, 1.3)),
    codec_scale=1 - some(0.25, 0.2, 0.6),
  )


def _mix(camera: Camera) -> np.ndarray:
  """The steps that mix channels (saturation, grey, sepia) as one (3, 3) matrix."""
  grey = np.outer(np.ones(3), (0.299, 0.587, 0.114))
  mix = grey + camera.saturation * (1 - camera.grey) * (np.eye(3) - grey)
  return (1 + camera.sepia * (np.array([1.08, 0.98, 0.78]) - 1))[:, None] * mix


def _tone_table(camera: Camera) -> np.ndarray:
  """(256, 1, 3) uint8 to float32 0..1: balance, exposure, gamma, contrast, fade."""
  level = np.arange(256) / 255
  light = level[:, None] ** 2.2 * 2.0**camera.exposure
  light = light * np.asarray(camera.balance) / np.dot(camera.balance, (0.3, 0.59, 0.11))
  # brightened pictures roll off instead of clipping hard
  over = np.maximum(light - 0.7, 0)
  light = np.where(light > 0.7, 0.7 + over / (1 + over / 0.4), light)
  value = np.clip(light, 0, 1.1) ** (camera.gamma / 2.2)
  value = 0.45 + (value - 0.45) * camera.contrast
  value = value + np.asarray(camera.split) * (1 - 2 * level[:, None])
  value = camera.lift + (1 - camera.lift) * value
  unchanged = (
    not camera.exposure and camera.gamma == 1 and camera.contrast == 1
    and camera.balance == (1.0, 1.0, 1.0) and not camera.lift and not any(camera.split)
  )  # fmt: skip
  if unchanged:
    value = np.repeat(level[:, None], 3, 1)
  return value.astype(np.float32)


def _apply_table(picture, table):
  planes = [
    cv2.LUT(picture[..., c], np.ascontiguousarray(table[:, c])) for c in range(3)
  ]
  return cv2.merge(planes)


def _shutter(pictures: np.ndarray, share: float) -> np.ndarray:
  """Each frame mixed with its neighbours, as an open shutter mixes moments.

  The motion between two frames is followed by dense optical flow, so that an edge
  smears along its way; a plain mean of frames would show it twice.
  """
  if len(pictures) < 2 or share <= 0:
    return pictures
  side = pictures.shape[1]
  small = max(min(side, 64), 16)
  greys = [
    cv2.resize(
      cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (small, small), interpolation=cv2.INTER_AREA
    )
    for p in pictures
  ]
  y, x = np.mgrid[0:side, 0:side].astype(np.float32)
  result = np.empty_like(pictures)
  result[0] = pictures[0]
  for i in range(1, len(pictures)):
    flow = cv2.calcOpticalFlowFarneback(
      greys[i - 1], greys[i], None, 0.5, 2, 9, 2, 5, 1.1, 0
    )
    reach = float(np.abs(flow).max()) * side / small * share
    if reach < 0.5:  # nothing smears by half a pixel
      result[i] = pictures[i]
      continue
    flow = cv2.resize(flow, (side, side), interpolation=cv2.INTER_LINEAR)
    flow *= np.float32(side / small)
    steps = int(np.clip(np.ceil(reach), 2, 6))
    total = np.zeros(pictures[i].shape, np.uint16)
    for step in range(steps):
      back = np.float32(share * step / steps)
      moved = cv2.remap(
        pictures[i],
        x + back * flow[..., 0],
        y + back * flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
      )
      total += moved
    result[i] = (total + steps // 2) // steps
  return result


def _fringed(picture: np.ndarray, fringe: float) -> np.ndarray:
  side = picture.shape[0]
  planes = list(cv2.split(picture))
  middle = (side - 1) / 2
  for channel, factor in ((0, 1 + fringe), (2, 1 - fringe)):
    matrix = np.array(
      [[factor, 0, middle * (1 - factor)], [0, factor, middle * (1 - factor)]]
    )
    planes[channel] = cv2.warpAffine(
      planes[channel], matrix, (side, side), borderMode=cv2.BORDER_REPLICATE
    )
  return cv2.merge(planes)


class _Noise:
  """Noise of standard deviation 1 that differs from frame to frame.

  A field larger than the picture is drawn once a clip; every frame takes a window of
  it at a random place, turned at random: drawing it anew would cost more than all the
  rest.
  """

  def __init__(self, camera: Camera, side: int, rng: np.random.Generator):
    self._side, self._rng = side, rng
    field = rng.standard_normal((side + side // 2 + 8,) * 2 + (3,), np.float32)
    # demosaicing mixes channels; each keeps the variance 1
    mix = np.array([[0.8, 0.6, 0], [0, 1, 0], [0, 0.6, 0.8]], np.float32)
    field = cv2.transform(field, mix)
    sigma = camera.grain * side
    if sigma > 0.3:
      field = cv2.GaussianBlur(field, (0, 0), sigma)
      # coarse grain of the same variance would look far stronger
      field *= np.float32(0.6 / field.std())
    self._field = field

  def draw(self) -> np.ndarray:
    """(s, s, 3) float32."""
    rng, room = self._rng, len(self._field) - self._side
    row, column = rng.integers(0, room + 1, 2)
    window = self._field[row : row + self._side, column : column + self._side]
    turn = rng.integers(8)
    if turn & 1:
      window = window[::-1]
    if turn & 2:
      window = window[:, ::-1]
    return window.transpose(1, 0, 2) if turn & 4 else window


def _coded(picture: np.ndarray, quality: int, scale: float) -> np.ndarray:
  side = picture.shape[0]
  work = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
  small = max(round(side * scale), 8)
  if small != side:
    work = cv2.resize(work, (small, small), interpolation=cv2.INTER_AREA)
  _, data = cv2.imencode('.jpg', work, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
  work = cv2.imdecode(data, cv2.IMREAD_COLOR)
  if small != side:
    work = cv2.resize(work, (side, side), interpolation=cv2.INTER_CUBIC)
  return cv2.cvtColor(work, cv2.COLOR_BGR2RGB)


def expose(
  pictures: np.ndarray, camera: Camera, rng: np.random.Generator, stills: bool = False
) -> np.ndarray:
  """Sends the frames of a clip through a camera.

  Args:
    pictures: `(t, s, s, 3)` uint8 RGB, in the order of time.
    camera: what to do; all defaults give the frames back unchanged.
    rng: the noise; each frame has its own.
    stills: the frames are unrelated, so nothing smears between them.

  Returns:
    `(t, s, s, 3)` uint8 RGB.
  """
  side = pictures.shape[1]
  table = _tone_table(camera)
  mix = _mix(camera)
  mixes = not np.allclose(mix, np.eye(3))
  falloff = None
  if camera.vignette:
    x = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    square = (x[None] ** 2 + x[:, None] ** 2) / 2
    falloff = (1 - camera.vignette * square**1.3).astype(np.float32)
    falloff = cv2.merge([falloff] * 3)
  noise = None
  if camera.shot > 0 or camera.read > 0:
    noise = _Noise(camera, side, rng)
  if not stills:
    pictures = _shutter(pictures, camera.motion)
  result = np.empty_like(pictures)
  for i, picture in enumerate(pictures):
    if camera.fringe:
      picture = _fringed(picture, camera.fringe)
    if camera.defocus * side > 0.2:
      picture = cv2.GaussianBlur(picture, (0, 0), camera.defocus * side)
    if camera.softness > 1:
      small = max(round(side / camera.softness), 8)
      picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
      picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR)
    value = _apply_table(picture, table)
    if falloff is not None:
      value *= falloff
    if noise is not None:
      # the amplifier lifts the noise of a dark scene with the picture
      sigma = cv2.sqrt(np.maximum(value * np.float32(camera.shot**2), 0))
      value += (sigma + np.float32(camera.read)) * noise.draw()
    if mixes:
      value = cv2.transform(value, mix.astype(np.float32))
    if camera.sharpening:
      soft = cv2.GaussianBlur(value, (0, 0), max(side / 256, 0.5))
      value = cv2.addWeighted(value, 1 + camera.sharpening, soft, -camera.sharpening, 0)
    picture = cv2.convertScaleAbs(np.maximum(value, 0), alpha=255)
    if camera.quality < 100 or camera.codec_scale < 1:
      picture = _coded(picture, camera.quality, camera.codec_scale)
    result[i] = picture
  return result
