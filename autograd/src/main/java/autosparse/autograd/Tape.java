package autosparse.autograd;

import autosparse.engine.DType;
import autosparse.engine.Operators;
import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryLedger;
import autosparse.engine.memory.MemoryTag;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Records what was computed, and runs it backwards.
 *
 * <p>A function (see {@link DenseFunctions}, {@link SparseFunctions}, {@link LossFunctions}) makes
 * its outputs with {@link #output}, calls operators, and {@link #record}s one node: its inputs, its
 * outputs, what it saved, and its backward step. {@link #backward} visits the nodes last to first;
 * as soon as a node's step is done, its outputs, their gradients and what it saved are freed, so
 * memory falls while the pass runs. A tape is used for one forward and at most one backward pass
 * and owns everything that it made; closing it frees the rest.
 */
public final class Tape implements AutoCloseable {
  /** A node's backward step: reads its outputs' gradients, writes its inputs'. */
  @FunctionalInterface
  public interface BackwardStep {
    /** Queues the step's operators. */
    void run();
  }

  /** A part of a computation that {@link #checkpoint} can run again. */
  @FunctionalInterface
  public interface Segment {
    /** Computes outputs from inputs; must do the same, bit for bit, each time it is called. */
    List<Variable> run(Tape tape, List<Variable> inputs);
  }

  /**
   * @param part what the function was computed for: its backward step is so too
   */
  private record Node(
      String name,
      String part,
      List<Variable> outputs,
      List<Tensor> saved,
      BackwardStep backward) {}

  private final TensorScope scope;
  private final Operators operators;
  private final boolean recording;

  /** Whether this is a training pass: what dropout asks. A checkpoint trains without recording. */
  private final boolean training;

  private final long seed;
  private final List<Node> nodes = new ArrayList<>();

  /** Tensors that must survive the backward pass or {@link #discard}. */
  private final Set<Tensor> kept = new HashSet<>();

  private Tape(TensorScope scope, boolean recording, boolean training, long seed) {
    this.scope = scope;
    this.operators = scope.device().operators();
    this.recording = recording;
    this.training = training;
    this.seed = seed;
  }

  /**
   * A tape for training.
   *
   * @param parent where the tape's scope is opened
   * @param seed what {@link #seed(String)} derives random streams from, such as the step's number
   */
  public static Tape recording(TensorScope parent, long seed) {
    return new Tape(parent.child("tape"), true, true, seed);
  }

  /** A tape that records nothing: functions compute values only, dropout does nothing. */
  public static Tape inference(TensorScope parent) {
    return new Tape(parent.child("inference"), false, false, 0);
  }

  /** The device's operators. */
  public Operators operators() {
    return operators;
  }

  /** Owner of what functions make; it closes with the tape. */
  public TensorScope scope() {
    return scope;
  }

  /** Whether a backward pass can follow. */
  public boolean isRecording() {
    return recording;
  }

  private MemoryLedger ledger() {
    return scope.device().ledger();
  }

  /**
   * Computes on behalf of a part of the network; its backward steps are so too.
   *
   * @param part as the device's book of memory is to call it
   */
  public <T> T within(String part, Supplier<T> work) {
    return ledger().within(part, work);
  }

  /** Whether the pass is one of training, recorded or inside a {@link #checkpoint}. */
  public boolean isTraining() {
    return training;
  }

  /** Seed of the named random stream in this pass: the same name gives the same seed again. */
  public long seed(String name) {
    long mixed = seed * 0x9E3779B97F4A7C15L + name.hashCode() * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 30)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }

  /**
   * Makes the output of a function, of the type of its first input and without values yet; it has a
   * gradient, of the same type, when any of the inputs has.
   *
   * @param name how the device's book of memory is to call it
   */
  public Variable output(String name, List<Variable> inputs, long... sizes) {
    return output(name, inputs.get(0).value().dtype(), inputs, sizes);
  }

  /** As {@link #output(String, List, long...)}, of a given type. */
  public Variable output(String name, DType dtype, List<Variable> inputs, long... sizes) {
    Tensor value = scope.create(name, dtype, MemoryTag.ACTIVATION, sizes);
    return Variable.result(
        value, recording && inputs.stream().anyMatch(Variable::isDifferentiable));
  }

  /** Makes a real tensor that a function's backward step will read: give it to {@link #record}. */
  public Tensor save(String name, long... sizes) {
    return scope.real(name, MemoryTag.ACTIVATION, sizes);
  }

  /**
   * Notes a computed function. Without recording, or when no output is differentiable, what it
   * saved is freed at once and its backward step is dropped.
   *
   * @param name how messages call it
   * @param saved tensors of {@link #scope}, such as by {@link #save}; freed after the backward step
   */
  public void record(
      String name, List<Variable> outputs, List<Tensor> saved, BackwardStep backward) {
    if (recording && outputs.stream().anyMatch(Variable::isDifferentiable)) {
      nodes.add(
          new Node(name, ledger().part(), List.copyOf(outputs), List.copyOf(saved), backward));
    } else {
      saved.forEach(scope::release);
    }
  }

  /**
   * Has something done when the backward pass is done with everything recorded from here on, such
   * as giving back what it read. Without recording there is no backward pass, and it is never done.
   */
  public void afterBackward(String name, Runnable work) {
    if (recording) {
      nodes.add(new Node(name, ledger().part(), List.of(), List.of(), work::run));
    }
  }

  /**
   * Lets a backward step write the gradient of an activation.
   *
   * <p>The first consumer writes it directly; later ones write a temporary that is then added.
   * Nothing happens for a variable without a gradient.
   */
  public void gradient(Variable input, Consumer<Tensor> write) {
    if (!input.isDifferentiable()) {
      return;
    }
    if (input.gradient == null) {
      input.gradient = scope.workspaceLike(input.value());
      write.accept(input.gradient);
      return;
    }
    Tensor addend = scope.workspaceLike(input.value());
    write.accept(addend);
    operators.elementwise().axpy(1, addend, input.gradient);
    scope.release(addend);
  }

  /** Writes a gradient, or adds to it. */
  @FunctionalInterface
  interface Addend {
    void write(Tensor gradient, boolean add);
  }

  /** As {@link #gradient}, for an operator that can add to what is there without a temporary. */
  void gradientOrSum(Variable input, Addend addend) {
    if (!input.isDifferentiable()) {
      return;
    }
    boolean add = input.gradient != null;
    if (!add) {
      input.gradient = scope.workspaceLike(input.value());
    }
    addend.write(input.gradient, add);
  }

  /**
   * Lets the last part of a backward step hand its output's gradient on to an input of the same
   * type and shape, whose gradient is the same: it becomes the input's own where that has none yet.
   */
  void pass(Variable output, Variable input) {
    if (input.isDifferentiable() && input.gradient == null) {
      input.gradient = output.gradient;
      output.gradient = null;
      return;
    }
    Tensor given = output.gradient;
    gradient(input, dx -> operators.elementwise().copy(given, dx));
  }

  /**
   * Lets a backward step accumulate a weight's gradient: {@code add} receives a tensor to add to.
   * Nothing happens for a variable without a gradient.
   */
  public void accumulate(Variable weight, Consumer<Tensor> add) {
    if (!weight.isDifferentiable()) {
      return;
    }
    if (weight.gradient == null) {
      weight.gradient = scope.workspaceLike(weight.value());
      operators.elementwise().fill(weight.gradient, 0);
    }
    add.accept(weight.gradient);
  }

  /** Keeps a variable's value until the tape is closed, whatever frees it otherwise. */
  public Variable keep(Variable variable) {
    kept.add(variable.value());
    return variable;
  }

  /** Tells that the caller needs a value no longer: freed now unless a backward pass may. */
  public void discard(Variable variable) {
    if (!recording) {
      release(variable.value());
    }
  }

  /**
   * Frees a value when all that reads it is recorded, and has it computed again when the backward
   * pass comes to those: memory for time. Without recording it is freed, and that is all.
   *
   * @param again writes the same value, bit for bit, to the tensor that it is given
   */
  public void computeAgain(Variable variable, Consumer<Tensor> again) {
    Tensor freed = variable.value();
    if (!owns(freed) || kept.contains(freed)) {
      return; // it stays, so nothing has to be computed
    }
    release(freed);
    afterBackward(
        freed.name(),
        () -> {
          Tensor value =
              scope.create(freed.name(), freed.dtype(), freed.tag(), freed.shape().toArray());
          variable.restore(value);
          again.accept(value);
        });
  }

  private boolean owns(Tensor tensor) {
    return !tensor.isView() && !tensor.isClosed() && scope.owns(tensor);
  }

  /**
   * Runs the backward pass from a one-element result.
   *
   * @param loss a differentiable variable of one element
   * @throws IllegalArgumentException when it has more elements, or when nothing that it was
   *     computed from has a gradient
   */
  public void backward(Variable loss) {
    if (loss.value().elements() != 1) {
      throw new IllegalArgumentException("backward from " + loss + ": expected one element");
    }
    if (!loss.isDifferentiable()) {
      throw new IllegalArgumentException(
          "backward from "
              + loss
              + ": it depends on no parameter, or was computed on a tape that does not record");
    }
    gradient(loss, g -> operators.elementwise().fill(g, 1));
    backward();
  }

  /**
   * Runs the backward pass from gradients already given (see {@link #gradient}).
   *
   * @throws IllegalStateException when a step fails, naming the function that it is of
   */
  public void backward() {
    for (int n = nodes.size() - 1; n >= 0; n--) {
      Node node = nodes.remove(n);
      if (node.outputs().isEmpty()
          || node.outputs().stream().anyMatch(output -> output.gradient != null)) {
        try {
          within(
              node.part(),
              () -> {
                node.backward().run();
                return null;
              });
        } catch (RuntimeException e) {
          throw new IllegalStateException("backward of " + node.name() + ": " + e.getMessage(), e);
        }
      }
      for (Variable output : node.outputs()) {
        release(output.gradient);
        release(output.value());
      }
      node.saved().forEach(scope::release);
    }
  }

  /**
   * A tensor like a temporary one, nearer to the end of the range where there is a hole for it, or
   * else itself: what is put below it next would not fit the hole.
   */
  Tensor higher(Tensor temporary) {
    long hole = scope.device().allocator().temporaryOffset(temporary.bytes());
    return hole > temporary.offset() ? scope.workspaceLike(temporary) : temporary;
  }

  /** Frees a tensor that nobody reads any more, unless it is to be kept or somebody else's. */
  void release(Tensor tensor) {
    if (tensor != null && owns(tensor) && !kept.contains(tensor)) {
      scope.release(tensor);
    }
  }

  /**
   * Runs a segment without recording it, and again, recorded, when the backward pass needs its
   * insides: memory for time. Leaves that the segment uses receive their gradients as usual.
   *
   * <p>Outputs and gradients are bit for bit those of the segment run on this tape. Without
   * recording the segment runs once, and its insides are freed when it ends.
   *
   * @param name how messages call it
   * @param inputs everything differentiable that the segment reads besides leaves
   * @return the segment's outputs; each has to be computed inside it
   */
  public List<Variable> checkpoint(String name, List<Variable> inputs, Segment segment) {
    List<Variable> outputs = new ArrayList<>();
    try (Tape inner = new Tape(scope.child(name), false, training, seed)) {
      List<Variable> constants = new ArrayList<>();
      inputs.forEach(input -> constants.add(Variable.constant(input.value())));
      for (Variable output : segment.run(inner, constants)) {
        outputs.add(Variable.result(inner.scope.promote(output.value()), recording));
      }
    }
    record(name, outputs, List.of(), () -> backwardOfSegment(name, inputs, outputs, segment));
    return outputs;
  }

  private void backwardOfSegment(
      String name, List<Variable> inputs, List<Variable> outputs, Segment segment) {
    // Whoever read the outputs is done, and the segment is about to make them again.
    outputs.forEach(output -> release(output.value()));
    try (Tape inner = new Tape(scope.child(name), true, training, seed)) {
      // The inner tape goes on with the gradients as they are, so that addends come in one order.
      Map<Variable, Variable> again = new LinkedHashMap<>();
      for (Variable input : inputs) {
        Variable twin = Variable.result(input.value(), input.isDifferentiable());
        twin.gradient = input.gradient;
        again.putIfAbsent(input, twin);
      }
      List<Variable> recomputed = segment.run(inner, inputs.stream().map(again::get).toList());
      for (int i = 0; i < outputs.size(); i++) {
        Tensor given = outputs.get(i).gradient;
        if (given != null) {
          inner.receive(recomputed.get(i), given, this);
          outputs.get(i).gradient = null; // it may become an input's own, see pass
        }
      }
      inner.backward();
      again.forEach(
          (input, twin) -> {
            if (twin.gradient != null && input.gradient == null) {
              input.gradient = inner.scope.promote(twin.gradient);
            }
          });
    }
  }

  /** Takes an output's gradient over from the tape that the output is of. */
  private void receive(Variable output, Tensor gradient, Tape outer) {
    if (output.gradient == null && outer.owns(gradient)) {
      outer.scope.handDown(gradient, scope);
      output.gradient = gradient;
      return;
    }
    gradient(output, g -> operators.elementwise().copy(gradient, g));
    outer.release(gradient);
  }

  /** Frees everything that the tape still owns. */
  @Override
  public void close() {
    scope.close();
  }
}
