"""Draws one person with a given pose, gaze and expression: pictures with the truth.

World: x right in the picture, y up, z towards the camera. The head turns about the
neck pivot by R = R_y(yaw) R_x(pitch) R_z(roll), radians: yaw > 0 brings the nose to
the right of the picture, pitch > 0 looks down, roll > 0 turns counter-clockwise on
the screen; vertices of the neck take a share of the rotation vector. The camera
(angle of view 24 degrees) looks along -z at the point T = pivot + (0, 0.80, 0) from
7.4 * distance_ratio mesh units; then the head is shifted on the screen by (t_x, t_y)
sides of the crop, x right and y down. So

  pose = z_pose = [yaw, pitch, roll, log(distance_ratio), t_x, t_y]

`eyes` = (yaw, pitch) turn the eyeballs in the head's frame, radians: yaw > 0 to the
right of the picture, pitch > 0 up. `units` are the 52 values of `assets.UNITS`.
"""

from typing import NamedTuple

import cv2
import numpy as np

from data_pipelines import errors
from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic import points, raster, scene, shade
from data_pipelines.synthetic.heads import Identity
from data_pipelines.synthetic.model import build_look, build_mesh

TARGET_HEIGHT = 0.8  # of the point the camera looks at, above the pivot; mesh units
CAMERA_DISTANCE = 7.4  # mesh units at distance_ratio 1
SHADOW_CENTRE_HEIGHT = 0.5  # of the middle of the shadow map, above the pivot


class Frame(NamedTuple):
  """One rendered frame."""

  picture: np.ndarray  # (s, s, 3) uint8 RGB
  points: np.ndarray  # (384, 3) float32: x, y in crop units 0..1, visible 0 or 1


def _floats(values):
  return np.ascontiguousarray(values, np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
  """R_y(yaw) R_x(pitch) R_z(roll), (3, 3) float64; radians."""
  (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
  about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
  about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
  about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
  return about_y @ about_x @ about_z


def rotation_vector(matrix: np.ndarray) -> np.ndarray:
  """Axis times angle (3,) of a rotation by less than half a turn."""
  angle = np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))
  skew = np.array(
    [
      matrix[2, 1] - matrix[1, 2],
      matrix[0, 2] - matrix[2, 0],
      matrix[1, 0] - matrix[0, 1],
    ]
  )
  length = np.linalg.norm(skew)
  return skew * (angle / length) if length > 1e-9 else np.zeros(3)


class Renderer:
  """Renders square pictures of `size`; each sample is `supersample`^2 samples.

  One renderer holds one person at a time (`load`) and no other state: `frame` is a
  function of its arguments and the person.
  """

  def __init__(self, size: int, supersample: int = 2):
    if size < 8 or supersample < 1:
      raise errors.UsageError('Renderer: size must be >= 8 and supersample >= 1')
    self.size = size
    self.supersample = supersample
    self.shadow_size = 256 if size > 64 else 128
    self.identity: Identity | None = None

  def load(self, identity: Identity, background: np.ndarray) -> None:
    """Takes the person and the picture behind: (h, w, 3) uint8 RGB, any size."""
    self.identity = identity
    self._mesh, self.part_slices = model = build_mesh(identity)
    rest = self.geometry(np.zeros(52), np.zeros(6), np.zeros(2))[:, :2]
    side = self.size * self.supersample
    picture = cv2.resize(background, (side, side), interpolation=cv2.INTER_LINEAR)
    self._backdrop = shade.inverse_film(picture)
    self.target = identity.pivot + np.array([0, TARGET_HEIGHT, 0])
    self._look = build_look(identity, model.mesh, rest, self.size, side)
    moved = self._move(np.zeros(52), np.zeros(6), np.zeros(2))
    screen = self._project(moved, np.zeros(6), points.SCREEN)
    self.point_indices = points.choose_points(
      identity, model, self._look, moved, screen
    )

  def _move(self, units, pose, eyes):
    if self.identity is None:
      raise errors.UsageError('Renderer: call load(identity, background) first')
    units = np.asarray(units, np.float32)
    if units.shape != (len(assets_lib.UNITS),):
      raise errors.UsageError(f'Renderer: 52 face units expected, got {units.shape}')
    chosen = np.nonzero(units)[0].astype(np.int32)
    vector = rotation_vector(rotation(*np.asarray(pose, np.float64)[:3]))
    angle = float(np.linalg.norm(vector))
    axis = vector / angle if angle > 1e-9 else np.array([0.0, 1.0, 0.0])
    eye_rotation = rotation(eyes[0], -eyes[1], 0.0)
    return raster.move(
      self._mesh, units[chosen], chosen, _floats(eye_rotation), _floats(axis), angle
    )

  def _project(self, moved, pose, size):
    distance = CAMERA_DISTANCE * float(np.exp(pose[3]))
    target = _floats(self.identity.pivot + np.array([0, TARGET_HEIGHT, 0]))
    shift = (float(pose[4]), float(pose[5]))
    return raster.project(moved.positions, target, distance, *shift, float(size))

  def geometry(self, units, pose, eyes) -> np.ndarray:
    """Every part vertex on the screen, (m, 3) float32.

    Args:
      units: (52,) face units.
      pose: (6,) z_pose.
      eyes: (2,) eye yaw and pitch, radians.

    Returns:
      x, y in crop units (0..1 inside the picture, y down) and the distance from the
      camera along its axis, in mesh units. `part_slices` says whose vertices they are.
    """
    screen = self._project(self._move(units, pose, eyes), pose, 1.0)
    screen[:, 2] = -1 / screen[:, 2]
    return screen

  def frame(self, units, pose, eyes, light: scene.Light) -> Frame:
    """Renders one frame.

    Args:
      units: (52,) face units in the order of `assets.UNITS`, 0 to about 1.4.
      pose: (6,) z_pose.
      eyes: (2,) eye yaw and pitch in the head's frame, radians.
      light: the rig.

    Returns:
      Frame.

    Raises:
      UsageError: nothing is loaded, or the shapes are wrong.
    """
    moved = self._move(units, pose, eyes)
    side = self.size * self.supersample
    screen = self._project(moved, pose, side)
    camera = self.target + np.array([0, 0, CAMERA_DISTANCE * float(np.exp(pose[3]))])
    frame = _floats(raster.light_frame(light.directions[0]))
    centre = _floats(self.identity.pivot + np.array([0, SHADOW_CENTRE_HEIGHT, 0]))
    lights = raster.project_light(
      moved.positions, frame, centre, float(self.shadow_size)
    )
    colour, buffers = shade.draw(
      self._mesh,
      moved,
      screen,
      lights,
      self._look,
      shade.Scene(
        directions=_floats(light.directions),
        colours=_floats(light.colours),
        sky=_floats(light.sky),
        ground=_floats(light.ground),
        camera=_floats(camera),
        light_frame=frame,
        light_centre=centre,
        backdrop=self._backdrop,
      ),
      self.shadow_size,
      self.supersample,
    )
    at = screen[self.point_indices]
    visible = points.visible(at, buffers.depth)
    where = np.concatenate([at[:, :2] / side, visible[:, None]], 1)
    return Frame(shade.develop(colour, self.supersample), where.astype(np.float32))
