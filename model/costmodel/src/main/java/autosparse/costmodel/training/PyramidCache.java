package autosparse.costmodel.training;

import autosparse.costmodel.memory.PatternRows;
import autosparse.costmodel.memory.TowerStrategy;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.RowSource;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.MatrixPattern;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Patterns on the device with their levels and maps, kept between steps up to a number of bytes;
 * the least recently used go first.
 */
public final class PyramidCache implements AutoCloseable {
  private final TensorScope scope;
  private final List<PatternRows> sources;
  private final long budget;
  private final Map<List<Integer>, PatternPyramid> kept = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param budget bytes that kept pyramids may hold together (the one in use may exceed it)
   */
  public PyramidCache(TensorScope parent, List<? extends MatrixPattern> patterns, long budget) {
    this.scope = parent.child("patterns");
    this.sources = patterns.stream().map(PatternRows::new).toList();
    this.budget = budget;
  }

  /** The pyramid of a batch of matrices; valid until the next call or {@link #trim}. */
  public PatternPyramid get(List<Integer> matrices) {
    PatternPyramid pyramid = kept.get(matrices);
    trim(pyramid);
    return pyramid == null ? make(matrices) : pyramid;
  }

  /**
   * Has the patterns of the next {@link #get} copied to the device beside the work queued until
   * then; where work is not queued, nothing is gained and nothing done.
   */
  public void prefetch(List<Integer> matrices) {
    if (scope.device().queuesWork() && !kept.containsKey(matrices)) {
      scope.device().upload(() -> make(matrices));
    }
  }

  private PatternPyramid make(List<Integer> matrices) {
    PatternPyramid pyramid = new PatternPyramid(scope, sources(matrices).toArray(RowSource[]::new));
    kept.put(List.copyOf(matrices), pyramid);
    return pyramid;
  }

  /**
   * The rows of a batch of matrices, wherever they are; the same objects each time, for counts that
   * are made of one are kept by it.
   */
  public List<PatternRows> sources(List<Integer> matrices) {
    return matrices.stream().map(sources::get).toList();
  }

  /**
   * Frees the least recently used pyramids until a step fits, if need be all but that of its own
   * matrices.
   *
   * @param matrices of the step
   * @param strategy how the step is run
   * @param bytes that the step takes in one piece, its pyramid included if it has one
   */
  public void makeRoom(List<Integer> matrices, TowerStrategy strategy, long bytes) {
    // Strips have no pyramid of the whole: one that was kept is in the way like any other.
    makeRoom(strategy instanceof TowerStrategy.Strips ? List.of() : matrices, bytes);
  }

  /** Frees the least recently used pyramids until so many bytes are free in one piece. */
  void makeRoom(long bytes) {
    makeRoom(List.of(), bytes);
  }

  private void makeRoom(List<Integer> matrices, long bytes) {
    scope.device().awaitUploads();
    PatternPyramid own = kept.get(matrices);
    long needed = bytes - (own == null ? 0 : own.bytes());
    Iterator<Map.Entry<List<Integer>, PatternPyramid>> oldestFirst = kept.entrySet().iterator();
    while (scope.device().allocator().largestFree() < needed && oldestFirst.hasNext()) {
      Map.Entry<List<Integer>, PatternPyramid> oldest = oldestFirst.next();
      if (oldest.getValue() != own) {
        oldestFirst.remove();
        oldest.getValue().close();
      }
    }
    if (own != null && scope.device().allocator().largestFree() < needed) {
      clear(); // its own lies behind a gap that others left
    }
  }

  /** Frees all pyramids. */
  public void clear() {
    scope.device().awaitUploads();
    kept.values().forEach(PatternPyramid::close);
    kept.clear();
  }

  /** Frees the least recently used pyramids until the rest fits the budget. */
  public void trim() {
    trim(null);
  }

  private void trim(PatternPyramid wanted) {
    scope.device().awaitUploads();
    long bytes = scope.liveBytes();
    Iterator<PatternPyramid> oldestFirst = kept.values().iterator();
    while (bytes > budget && oldestFirst.hasNext()) {
      PatternPyramid oldest = oldestFirst.next();
      if (oldest != wanted) {
        bytes -= oldest.bytes();
        oldestFirst.remove();
        oldest.close();
      }
    }
  }

  @Override
  public void close() {
    clear();
    scope.close();
  }
}
