package autosparse.engine;

import autosparse.engine.memory.MemoryTag;
import autosparse.engine.memory.RangeAllocator;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Owner of tensors' memory: what a scope made is freed when it closes.
 *
 * <p>Scopes nest. A child must be closed before its parent; a tensor that has to outlive the child
 * is promoted to the parent. Closing frees in the reverse order of allocation.
 *
 * <pre>{@code
 * try (TensorScope step = device.root().child("step")) {
 *   Tensor y = step.real("y", MemoryTag.ACTIVATION, n, c);
 *   ...
 *   return step.promote(y);
 * }
 * }</pre>
 */
public final class TensorScope implements AutoCloseable {
  private final Device device;
  private final TensorScope parent;
  private final String name;
  private final Set<Tensor> tensors = new LinkedHashSet<>();
  private final Set<TensorScope> children = new LinkedHashSet<>();
  private boolean sealed;
  private boolean closed;

  TensorScope(Device device, TensorScope parent, String name) {
    this.device = device;
    this.parent = parent;
    this.name = name;
  }

  /** Where its tensors live. */
  public Device device() {
    return device;
  }

  /** Opens a scope inside this one. */
  public TensorScope child(String childName) {
    checkOpen();
    TensorScope child = new TensorScope(device, this, childName);
    children.add(child);
    return child;
  }

  /**
   * A tensor with undefined contents.
   *
   * @throws IllegalStateException when the scope is sealed or closed
   * @throws autosparse.engine.memory.OutOfDeviceMemoryException when the device's range is full
   */
  public Tensor create(String tensorName, DType dtype, MemoryTag tag, long... sizes) {
    checkOpen();
    if (sealed) {
      throw new IllegalStateException("scope " + this + " is sealed: no new tensor " + tensorName);
    }
    Shape shape = Shape.of(sizes);
    long bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
    long offset = device.allocate(bytes, tag, tensorName);
    Tensor tensor = new Tensor(device, this, tensorName, dtype, shape, tag, offset, null);
    tensors.add(tensor);
    return tensor;
  }

  /** A tensor of the device's real type (float on the CPU, double on the reference). */
  public Tensor real(String tensorName, MemoryTag tag, long... sizes) {
    return create(tensorName, device.real(), tag, sizes);
  }

  /** A tensor of the type that activations have on the device. */
  public Tensor activation(String tensorName, long... sizes) {
    return create(tensorName, device.activation(), MemoryTag.ACTIVATION, sizes);
  }

  /** As {@link #real}, filled with zeros. */
  public Tensor zeros(String tensorName, MemoryTag tag, long... sizes) {
    Tensor tensor = real(tensorName, tag, sizes);
    device.operators().elementwise().fill(tensor, 0);
    return tensor;
  }

  /** A temporary of the same type and shape as another tensor. */
  public Tensor workspaceLike(Tensor other) {
    return create(other.name() + "'", other.dtype(), MemoryTag.WORKSPACE, other.shape().toArray());
  }

  /** An I32 tensor [values.length] of these values. */
  public Tensor ints(String tensorName, MemoryTag tag, int[] values) {
    Tensor tensor = create(tensorName, DType.I32, tag, values.length);
    tensor.write(0, values, 0, values.length);
    return tensor;
  }

  /** An I64 tensor [values.length] of these values. */
  public Tensor longs(String tensorName, MemoryTag tag, long[] values) {
    Tensor tensor = create(tensorName, DType.I64, tag, values.length);
    tensor.write(0, values, 0, values.length);
    return tensor;
  }

  /** A tensor of the device's real type holding {@code values}, rounded to it. */
  public Tensor reals(String tensorName, MemoryTag tag, double[] values, long... sizes) {
    Tensor tensor = real(tensorName, tag, sizes.length == 0 ? new long[] {values.length} : sizes);
    tensor.setDoubles(values);
    return tensor;
  }

  /** Moves a tensor of this scope to the parent, so that it outlives this scope. */
  public Tensor promote(Tensor tensor) {
    requireOwned(tensor);
    if (parent == null) {
      throw new IllegalStateException("the root scope has no parent to promote " + tensor + " to");
    }
    tensors.remove(tensor);
    parent.tensors.add(tensor);
    tensor.scope = parent;
    return tensor;
  }

  /** Moves a tensor of this scope to a child, so that the child can free it. */
  public void handDown(Tensor tensor, TensorScope child) {
    requireOwned(tensor);
    if (!children.contains(child)) {
      throw new IllegalStateException("scope " + child + " is no child of " + this);
    }
    tensors.remove(tensor);
    child.tensors.add(tensor);
    tensor.scope = child;
  }

  /** Whether this scope itself (not a child) owns the tensor. */
  public boolean owns(Tensor tensor) {
    return tensors.contains(tensor);
  }

  /** Frees one tensor of this scope before the scope closes. */
  public void release(Tensor tensor) {
    requireOwned(tensor);
    tensors.remove(tensor);
    free(tensor);
  }

  private void requireOwned(Tensor tensor) {
    if (tensor.isView() || !tensors.contains(tensor)) {
      throw new IllegalStateException(tensor + " is not owned by scope " + this);
    }
  }

  private void free(Tensor tensor) {
    tensor.markClosed();
    device.free(tensor);
  }

  /** Forbids new tensors here (children may still be opened). */
  public void seal() {
    sealed = true;
  }

  /** Takes {@link #seal} back. */
  public void unseal() {
    sealed = false;
  }

  /** Bytes held by this scope and its children, padding included. */
  public long liveBytes() {
    long bytes = 0;
    for (Tensor tensor : tensors) {
      bytes += RangeAllocator.padded(tensor.bytes());
    }
    for (TensorScope child : children) {
      bytes += child.liveBytes();
    }
    return bytes;
  }

  /** One line a tensor: scope, tag, name, type and shape, bytes. */
  public List<String> dump() {
    List<String> lines = new ArrayList<>();
    for (Tensor tensor : tensors) {
      lines.add(this + ": " + tensor.tag() + " " + tensor + " " + tensor.bytes() + " bytes");
    }
    for (TensorScope child : children) {
      lines.addAll(child.dump());
    }
    return lines;
  }

  /**
   * Frees everything that this scope owns.
   *
   * @throws IllegalStateException when a child is still open
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (!children.isEmpty()) {
      throw new IllegalStateException(
          "scope " + this + " closed while " + children.iterator().next() + " is open");
    }
    List<Tensor> order = new ArrayList<>(tensors);
    for (int i = order.size() - 1; i >= 0; i--) {
      free(order.get(i));
    }
    tensors.clear();
    closed = true;
    if (parent != null) {
      parent.children.remove(this);
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("scope " + this + " is closed");
    }
  }

  /** The names of the scopes from the device's root down to this one. */
  @Override
  public String toString() {
    return parent == null ? name : parent + "/" + name;
  }
}
