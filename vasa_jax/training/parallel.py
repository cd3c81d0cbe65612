"""Runs one pure step over devices: `pmap` (the default), `jit` on a mesh, or FSDP.

All three place the batch over the axis `data` and give the same parameters (tested with
SGD, which unlike Adam does not hide a wrong gradient scale):

- `pmap`: literal `jax.pmap`; every device holds the whole state; gradients are averaged
  with `pmean`. Arrays carry a leading axis of local devices.
- `jit`: the compiler places the same step on a named mesh; the loss is a mean over the
  global batch, so no `pmean` is written.
- `fsdp`: as `jit`, with every large array of the state cut along its largest divisible
  axis (the rule of big_vision), so that the state's memory shrinks with the devices.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from vasa_jax.errors import UserError
from vasa_jax.training.update import Update

AXIS = 'data'


@dataclass(frozen=True)
class Runner:
  """How one mode runs and moves things.

  Attributes:
    step: `step(state, batch, key) -> Update`; the state passed in is donated (gone).
    lower: `lower(state, batch, key, *frozen)` of shapes, laid out as `step` gets them:
      the program without a run.
    create: `create(init, key) -> state` placed on the devices; `init(key)` is traced.
    place_state: host state (NumPy) -> state on the devices.
    place_scalar: number -> float32 scalar placed like the state's own scalars.
    place_batch: this host's NumPy batch -> batch on the devices.
    host: tree on the devices -> NumPy copy; every host calls it.
    scalars: list of metrics dicts on the devices -> list of dicts of floats.
    to_save: state -> what the checkpoint writes: NumPy, or global arrays where cut.
    restore_like: abstract state -> target tree for the checkpoint to restore into.
  """

  step: Callable[..., Update]
  lower: Callable[..., jax.stages.Lowered]
  create: Callable[..., Any]
  place_state: Callable[[Any], Any]
  place_scalar: Callable[[float], jax.Array]
  place_batch: Callable[[Any], Any]
  host: Callable[[Any], Any]
  scalars: Callable[[list[dict[str, jax.Array]]], list[dict[str, float]]]
  to_save: Callable[[Any], Any]
  restore_like: Callable[[Any], Any]


def make_runner(
  step: Callable[..., Update],
  abstract: Any,
  *,
  mode: str = 'pmap',
  devices: int = 0,
  fsdp_min_mib: float = 4.0,
  frozen: tuple[Any, ...] = (),
) -> Runner:
  """The runner for `mode`.

  Args:
    step: from `make_step`.
    abstract: the state's shapes, from `jax.eval_shape`.
    mode: 'pmap', 'jit' or 'fsdp'.
    devices: local devices to use, 0 for all; fewer only with one process.
    fsdp_min_mib: smallest array that 'fsdp' cuts.
    frozen: trees that the step gets at every call: placed here, whole, once; shapes
      (`jax.ShapeDtypeStruct`) for a runner that only lowers.

  Raises:
    UserError: more devices asked for than there are.
  """
  local = jax.local_devices()
  if devices > len(local):
    raise UserError(f'devices={devices}, but this host has {len(local)}')
  if devices and jax.process_count() > 1 and devices != len(local):
    raise UserError('devices= must be 0 (all) when several processes train together')
  if devices:
    local = local[:devices]
  if mode == 'pmap':
    return _pmap_runner(step, local, frozen)
  everywhere = local if devices else jax.devices()
  cut = fsdp_min_mib if mode == 'fsdp' else None
  return mesh_runner(step, abstract, everywhere, len(local), cut, frozen)


def _per_device(batch: Any, devices: int) -> int:
  sizes = {np.shape(leaf)[0] for leaf in jax.tree.leaves(batch)}
  if len(sizes) != 1:
    raise UserError(
      f'the arrays of a batch differ in their first axis: {sorted(sizes)}'
    )
  size = sizes.pop()
  if size % devices:
    raise UserError(
      f'a batch of {size} a host does not divide over {devices} devices; '
      f'set batch_size to a multiple of {devices} times the number of hosts'
    )
  return size // devices


def _floats(read: Callable[[jax.Array], np.ndarray]) -> Callable:
  def scalars(metrics):
    for leaf in jax.tree.leaves(metrics):
      leaf.copy_to_host_async()
    return [{k: float(read(v)) for k, v in m.items()} for m in metrics]

  return scalars


def _pmap_runner(step, devices: Sequence[jax.Device], frozen) -> Runner:
  n = len(devices)
  mapped = jax.pmap(
    functools.partial(step, axis_name=AXIS),
    axis_name=AXIS,
    in_axes=(0, 0, None, *(0 for _ in frozen)),
    donate_argnums=(0,),
    devices=devices if jax.process_count() == 1 else None,
  )
  mesh = Mesh(np.asarray(devices), (AXIS,), axis_types=(AxisType.Auto,))
  sharding = NamedSharding(mesh, PartitionSpec(AXIS))

  def place_state(state):
    return jax.tree.map(
      lambda a: jax.device_put(
        np.broadcast_to(np.asarray(a)[None], (n, *np.shape(a))), sharding
      ),
      state,
    )

  def place_batch(batch):
    per_device = _per_device(batch, n)
    return jax.tree.map(
      lambda a: jax.device_put(
        np.reshape(a, (n, per_device, *np.shape(a)[1:])), sharding
      ),
      batch,
    )

  def first(array):
    # Indexing the stacked array would compile a gather for every leaf.
    return np.asarray(array.addressable_data(0))[0]

  def host(tree):
    # A copy: the buffer behind it is donated to the next step.
    return jax.tree.map(lambda a: np.array(first(a)), tree)

  def create(init, key):
    return place_state(jax.tree.map(np.asarray, jax.jit(init)(key)))

  return Runner(
    step=_holding(mapped, frozen, place_state),
    lower=mapped.lower,
    create=create,
    place_state=place_state,
    place_scalar=lambda value: place_state(np.float32(value)),
    place_batch=place_batch,
    host=host,
    scalars=_floats(first),
    to_save=host,
    restore_like=_host_target,
  )


def _holding(step: Callable[..., Update], frozen, place) -> Callable[..., Update]:
  """`step` with its last arguments given, each array brought by `place`."""
  if any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(frozen)):
    return step
  held = jax.tree.map(place, frozen)
  return lambda state, batch, key: step(state, batch, key, *held)


def _host_target(abstract):
  return jax.tree.map(lambda a: np.empty(a.shape, a.dtype), abstract)


def fsdp_spec(
  shape: tuple[int, ...], itemsize: int, devices: int, min_mib: float
) -> PartitionSpec:
  """Cuts the largest axis that `devices` divides, or nothing (small or odd arrays)."""
  if np.prod(shape, dtype=np.int64) * itemsize < min_mib * 2**20:
    return PartitionSpec()
  for axis in sorted(range(len(shape)), key=lambda i: -shape[i]):
    if shape[axis] >= devices and shape[axis] % devices == 0:
      return PartitionSpec(*(AXIS if i == axis else None for i in range(len(shape))))
  return PartitionSpec()


def mesh_runner(
  step: Callable[..., Update],
  abstract: Any,
  devices: Sequence[jax.Device],
  local_count: int,
  cut: float | None = None,
  frozen: tuple[Any, ...] = (),
) -> Runner:
  """The runner of 'jit' and 'fsdp' over any devices, those of a topology that is only
  compiled for included.

  Args:
    local_count: how many of the devices are this host's.
    cut: MiB from which an array of the state is cut; None cuts nothing.
  """
  mesh = Mesh(np.asarray(devices), (AXIS,), axis_types=(AxisType.Auto,))
  whole = NamedSharding(mesh, PartitionSpec())
  by_batch = NamedSharding(mesh, PartitionSpec(AXIS))

  def sharding_of(leaf) -> NamedSharding:
    if cut is None:
      return whole
    spec = fsdp_spec(leaf.shape, leaf.dtype.itemsize, len(devices), cut)
    return NamedSharding(mesh, spec)

  shardings = jax.tree.map(sharding_of, abstract)
  compiled = jax.jit(
    lambda state, batch, key, *frozen: step(state, batch, key, *frozen),
    in_shardings=(shardings, by_batch, whole, *(whole for _ in frozen)),
    out_shardings=Update(shardings, whole),
    donate_argnums=(0,),
  )
  gather = jax.jit(lambda tree: tree, out_shardings=whole)

  def put(array, sharding):
    # np.array copies: a zero-copy view of the caller's memory must not be donated.
    array = np.array(array)
    return jax.make_array_from_callback(array.shape, sharding, lambda i: array[i])

  def place_batch(batch):
    _per_device(batch, local_count)
    return jax.tree.map(
      lambda a: jax.make_array_from_process_local_data(by_batch, np.asarray(a)), batch
    )

  def first(array):
    return np.asarray(array.addressable_data(0))

  def host(tree):
    if cut is not None:
      tree = gather(tree)
    return jax.tree.map(lambda a: np.array(first(a)), tree)

  def to_save(state):
    return host(state) if cut is None else state

  def restore_like(abstract):
    if cut is None:
      return _host_target(abstract)
    return jax.tree.map(
      lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=sharding_of(a)),
      abstract,
    )

  def place_state(state):
    if all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(state)):
      return state  # restored in place
    return jax.tree.map(lambda a: put(a, sharding_of(np.asarray(a))), state)

  return Runner(
    step=_holding(compiled, frozen, lambda tree: put(tree, whole)),
    lower=compiled.lower,
    create=lambda init, key: jax.jit(init, out_shardings=shardings)(key),
    place_state=place_state,
    place_scalar=lambda value: put(np.float32(value), whole),
    place_batch=place_batch,
    host=host,
    scalars=_floats(first),
    to_save=to_save,
    restore_like=restore_like,
  )
