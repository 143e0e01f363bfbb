package autosparse.costmodel.memory;

import autosparse.engine.TensorScope;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.PatternPyramid;
import java.util.List;
import java.util.function.Supplier;

/**
 * The pyramid of a batch for one {@link TowerPass}: made when the pass asks for it, freed when this
 * is closed. Nothing is made where the pass does without, as one by strips does.
 */
public final class PyramidOnDemand implements Supplier<PatternPyramid>, AutoCloseable {
  private final TensorScope scope;
  private final RowSource[] batch;
  private PatternPyramid made;

  /**
   * @param scope that the pyramid is made in
   * @param batch rows of each matrix
   */
  public PyramidOnDemand(TensorScope scope, List<? extends RowSource> batch) {
    this.scope = scope;
    this.batch = batch.toArray(RowSource[]::new);
  }

  /** The same one each time. */
  @Override
  public PatternPyramid get() {
    if (made == null) {
      made = new PatternPyramid(scope, batch);
    }
    return made;
  }

  @Override
  public void close() {
    if (made != null) {
      made.close();
    }
  }
}
