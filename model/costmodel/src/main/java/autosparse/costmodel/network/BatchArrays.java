package autosparse.costmodel.network;

import autosparse.engine.DType;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a model's head reads of a batch of schedules, on the host: arrays in an order that the model
 * knows. Each goes to the device in one copy.
 */
public final class BatchArrays {
  /** Name, kind of elements and sizes of one array. */
  private record Form(String name, Kind kind, List<Long> sizes) {}

  private enum Kind {
    REAL,
    I32,
    I64
  }

  private final List<Form> forms = new ArrayList<>();
  private final List<Object> arrays = new ArrayList<>();

  /** Appends numbers, stored on the device in its real type. */
  BatchArrays reals(String name, float[] values, long... sizes) {
    return add(name, Kind.REAL, values, values.length, sizes);
  }

  BatchArrays ints(String name, int[] values) {
    return add(name, Kind.I32, values, values.length, values.length);
  }

  BatchArrays longs(String name, long[] values) {
    return add(name, Kind.I64, values, values.length, values.length);
  }

  private BatchArrays add(String name, Kind kind, Object array, long length, long... sizes) {
    if (Arrays.stream(sizes).reduce(1, Math::multiplyExact) != length) {
      throw new IllegalArgumentException(
          name + ": " + length + " values for sizes " + Arrays.toString(sizes));
    }
    forms.add(new Form(name, kind, Arrays.stream(sizes).boxed().toList()));
    arrays.add(array);
    return this;
  }

  /** Everything but the values; batches that agree in it are computed by the same work. */
  public Object form() {
    return List.copyOf(forms);
  }

  /** Tensors of this form, with undefined contents. */
  public List<Tensor> create(TensorScope scope) {
    List<Tensor> tensors = new ArrayList<>();
    for (Form form : forms) {
      DType type =
          switch (form.kind) {
            case REAL -> scope.device().real();
            case I32 -> DType.I32;
            case I64 -> DType.I64;
          };
      long[] sizes = form.sizes.stream().mapToLong(Long::longValue).toArray();
      tensors.add(scope.create(form.name, type, MemoryTag.INPUT, sizes));
    }
    return tensors;
  }

  /** Copies the values to tensors that {@link #create} made for a batch of the same form. */
  public void write(List<Tensor> targets) {
    for (int a = 0; a < arrays.size(); a++) {
      Tensor target = targets.get(a);
      switch (forms.get(a).kind) {
        case REAL -> writeReals((float[]) arrays.get(a), target);
        case I32 -> {
          int[] values = (int[]) arrays.get(a);
          target.write(0, values, 0, values.length);
        }
        case I64 -> {
          long[] values = (long[]) arrays.get(a);
          target.write(0, values, 0, values.length);
        }
      }
    }
  }

  private static void writeReals(float[] values, Tensor target) {
    if (target.dtype() == DType.F32) {
      target.write(0, values, 0, values.length);
      return;
    }
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    target.write(0, wide, 0, wide.length);
  }

  /** The batch on a device. */
  List<Tensor> on(TensorScope scope) {
    List<Tensor> tensors = create(scope);
    write(tensors);
    return tensors;
  }
}
