package autosparse.costmodel.training;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Losses and gradient norms of the last steps. They stay on the device until someone asks, since
 * asking waits for the device; no more than {@link #CAPACITY} stay there.
 */
final class StepResults implements AutoCloseable {
  static final int CAPACITY = 64;

  /** What the host knows of a step by itself. */
  private record Queued(long step, int epoch, double rate, int schedules) {}

  private final TensorScope scope;

  /** Loss and norm of each queued step, [2·CAPACITY]. */
  private final Tensor values;

  private final List<Queued> queued = new ArrayList<>();
  private final Deque<StepResult> read = new ArrayDeque<>();

  StepResults(TensorScope parent) {
    scope = parent.child("step results");
    values = scope.zeros("losses and gradient norms", MemoryTag.INPUT, 2L * CAPACITY);
  }

  /** Makes room for a step: reads the others when they take it all. */
  void beginStep() {
    if (queued.size() == CAPACITY) {
      fetch();
    }
  }

  /** Where the step's loss is to be written, [1]. */
  Tensor loss() {
    return at(2L * queued.size());
  }

  /** Where the step's gradient norm is to be written, [1]. */
  Tensor norm() {
    return at(2L * queued.size() + 1);
  }

  private Tensor at(long index) {
    return values.rows(index, index + 1);
  }

  /** Ends the step that wrote {@link #loss} and {@link #norm}. */
  void endStep(long step, int epoch, double rate, int schedules) {
    queued.add(new Queued(step, epoch, rate, schedules));
  }

  private void fetch() {
    if (queued.isEmpty()) {
      return;
    }
    double[] numbers = values.rows(0, 2L * queued.size()).toDoubles();
    for (int i = 0; i < queued.size(); i++) {
      Queued step = queued.get(i);
      read.add(
          new StepResult(
              step.step(),
              step.epoch(),
              numbers[2 * i],
              numbers[2 * i + 1],
              step.rate(),
              step.schedules()));
    }
    queued.clear();
  }

  /** Results not taken before, oldest first. Waits for their steps. */
  List<StepResult> take() {
    fetch();
    List<StepResult> all = List.copyOf(read);
    read.clear();
    return all;
  }

  /** The newest result alone. Waits for its step. */
  StepResult takeLast() {
    fetch();
    return read.removeLast();
  }

  @Override
  public void close() {
    scope.close();
  }
}
