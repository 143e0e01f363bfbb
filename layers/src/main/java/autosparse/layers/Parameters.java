package autosparse.layers;

import autosparse.autograd.Variable;
import autosparse.engine.RandomStream;
import autosparse.engine.Shape;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All parameters of a network, by name, with their gradients unless it is only to be run; owner of
 * their memory.
 *
 * <p>Layers create theirs through a {@link Namespace}. A parameter's starting values depend on the
 * seed and its name alone, so adding a layer leaves the others as they were.
 */
public final class Parameters implements AutoCloseable {
  private final TensorScope scope;
  private final long seed;
  private final boolean gradients;
  private final Map<String, Variable> byName = new LinkedHashMap<>();

  /** Parameters that are to be trained. */
  public Parameters(TensorScope parent, long seed) {
    this(parent, seed, true);
  }

  private Parameters(TensorScope parent, long seed, boolean gradients) {
    this.scope = parent.child("parameters");
    this.seed = seed;
    this.gradients = gradients;
  }

  /** Parameters of a network that is only run: constants, which take half the memory. */
  public static Parameters withoutGradients(TensorScope parent, long seed) {
    return new Parameters(parent, seed, false);
  }

  /** A prefix for names: {@code in("tower").in("1")} makes names {@code tower.1.…}. */
  public final class Namespace {
    private final String prefix;

    private Namespace(String prefix) {
      this.prefix = prefix;
    }

    /** The prefix with one more part. */
    public Namespace in(String part) {
      return new Namespace(prefix + part + ".");
    }

    /**
     * Makes a parameter of the device's real type, with a gradient of zeros.
     *
     * @param sizes its shape
     * @throws IllegalStateException when there is one of this name
     */
    public Variable create(String name, Initializer initializer, long... sizes) {
      return Parameters.this.create(prefix + name, initializer, sizes);
    }
  }

  /** A prefix of one part. */
  public Namespace in(String part) {
    return new Namespace(part + ".");
  }

  private Variable create(String name, Initializer initializer, long... sizes) {
    if (byName.containsKey(name)) {
      throw new IllegalStateException("parameter " + name + " exists already");
    }
    Shape shape = Shape.of(sizes);
    RandomStream random = RandomStream.named(seed, name);
    double[] values = new double[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = initializer.next(random, shape);
    }
    Tensor value = scope.reals(name, MemoryTag.WEIGHTS, values, sizes);
    Variable parameter =
        gradients
            ? Variable.leaf(value, scope.zeros(name + " gradient", MemoryTag.GRADIENTS, sizes))
            : Variable.constant(value);
    byName.put(name, parameter);
    return parameter;
  }

  /** Parameters by name, in the order of their creation. */
  public Map<String, Variable> byName() {
    return java.util.Collections.unmodifiableMap(byName);
  }

  /** The weights, in the order of their creation. */
  public List<Tensor> values() {
    List<Tensor> values = new ArrayList<>();
    byName.values().forEach(parameter -> values.add(parameter.value()));
    return values;
  }

  /**
   * The gradients, in the order of the parameters.
   *
   * @throws IllegalStateException for parameters that have none
   */
  public List<Tensor> gradients() {
    if (!gradients) {
      throw new IllegalStateException("parameters that were made without gradients");
    }
    List<Tensor> all = new ArrayList<>();
    byName.values().forEach(parameter -> all.add(parameter.gradient()));
    return all;
  }

  /** Number of scalars. */
  public long count() {
    return byName.values().stream().mapToLong(parameter -> parameter.value().elements()).sum();
  }

  /** Queues filling all gradients with 0. */
  public void zeroGradients() {
    var elementwise = scope.device().operators().elementwise();
    gradients().forEach(gradient -> elementwise.fill(gradient, 0));
  }

  /** The weights as a state dict, for saving and loading. */
  public StateDict stateDict() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    byName.forEach((name, parameter) -> tensors.put(name, parameter.value()));
    return new StateDict(tensors);
  }

  /** Frees weights and gradients. */
  @Override
  public void close() {
    scope.close();
  }
}
