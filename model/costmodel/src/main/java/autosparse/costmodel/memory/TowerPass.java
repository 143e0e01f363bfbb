package autosparse.costmodel.memory;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.memory.TowerStrategy.Checkpoints;
import autosparse.costmodel.memory.TowerStrategy.Strips;
import autosparse.costmodel.network.SparseTower;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.PatternPyramid;
import java.util.List;
import java.util.function.Supplier;

/** The tower's part of one step, run by a strategy. */
public interface TowerPass {
  /**
   * The averages [B, C_l] of each layer, first to last.
   *
   * @param tape of the step; on one that does not record only the averages are made
   */
  List<Variable> pooled(Tape tape);

  /** What is left of the backward pass when the tape's is done. */
  default void finish() {}

  /**
   * A pass over a batch of patterns.
   *
   * @param scope where a strip's tensors are made
   * @param patterns of the batch; only strips read them
   * @param pyramid of the whole batch, asked for only by strategies that have it at once
   */
  static TowerPass of(
      TowerStrategy strategy,
      SparseTower tower,
      TensorScope scope,
      List<? extends RowSource> patterns,
      Supplier<PatternPyramid> pyramid) {
    if (strategy instanceof Strips strips) {
      return new StripPass(
          tower,
          scope,
          patterns.size(),
          Strip.of(patterns, tower, strips.forwardSites()),
          Strip.of(patterns, tower, strips.sites()));
    }
    PatternPyramid whole = pyramid.get();
    tower.prepare(whole);
    if (strategy instanceof Checkpoints checkpoints) {
      return tape -> CheckpointedTower.forward(tower, tape, whole, checkpoints.parts());
    }
    return tape -> tower.forward(tape, whole);
  }
}
