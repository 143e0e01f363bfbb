package autosparse.costmodel.memory;

import autosparse.autograd.SparseFunctions.Level;
import autosparse.autograd.SparseFunctions.Pool;
import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.network.SparseTower;
import autosparse.layers.PatternPyramid;
import java.util.ArrayList;
import java.util.List;

/** Runs a tower part by part, each run of recomputed layers as a checkpoint of the tape. */
final class CheckpointedTower {
  private final SparseTower tower;
  private final PatternPyramid pyramid;

  private CheckpointedTower(SparseTower tower, PatternPyramid pyramid) {
    this.tower = tower;
    this.pyramid = pyramid;
  }

  /** The averages [B, C_l] of each layer, first to last. */
  static List<Variable> forward(
      SparseTower tower, Tape tape, PatternPyramid pyramid, List<ChainPart> parts) {
    List<Variable> pooled = new ArrayList<>();
    Variable last = new CheckpointedTower(tower, pyramid).run(tape, parts, null, pooled);
    tape.discard(last);
    return pooled;
  }

  /** Runs parts one after the other; returns the features of the last layer. */
  private Variable run(Tape tape, List<ChainPart> parts, Variable input, List<Variable> pooled) {
    Variable x = input;
    for (ChainPart part : parts) {
      Variable before = x;
      x = part.isKept() ? layer(tape, part, x, pooled) : again(tape, part, x, pooled);
      if (before != null) {
        tape.discard(before);
      }
    }
    return x;
  }

  private Variable layer(Tape tape, ChainPart part, Variable x, List<Variable> pooled) {
    Level out = tower.layer(tape, pyramid, part.from(), x, Pool.ALL);
    pooled.add(out.pooled());
    return out.features();
  }

  private Variable again(Tape tape, ChainPart part, Variable x, List<Variable> pooled) {
    List<Variable> outputs =
        tape.checkpoint(
            "layers " + part.from() + " to " + (part.to() - 1),
            x == null ? List.of() : List.of(x),
            (inner, inputs) -> {
              List<Variable> made = new ArrayList<>();
              Variable first = inputs.isEmpty() ? null : inputs.get(0);
              Variable last = run(inner, part.inner(), first, made);
              made.add(last);
              return made;
            });
    int last = outputs.size() - 1;
    pooled.addAll(outputs.subList(0, last));
    return outputs.get(last);
  }
}
