package autosparse.schedule;

import autosparse.schedule.PatternCounts.Balance;
import autosparse.schedule.PatternCounts.Share;

/** Shares the nonzeros of rows out among the iterations and chunks of a parallel loop. */
final class BalanceCounter implements RowCounter {
  private final Share share;
  private final int rows;
  private long rowsOfGroup;
  private long rowsOfUnit;
  private long nonzerosOfGroup;
  private long nonzerosOfUnit;
  private long nonzerosOfChunk;
  private long iterations;
  private long busiestOfGroup;
  private long busiest;
  private double span;

  BalanceCounter(Share share, MatrixPattern pattern) {
    this.share = share;
    this.rows = pattern.rows();
  }

  @Override
  public long bytes() {
    return 0;
  }

  @Override
  public void add(int first, MatrixPattern.Rows some) {
    long[] pointers = some.rowPointers();
    for (int r = 0; r < some.count(); r++) {
      nonzerosOfUnit += pointers[r + 1] - pointers[r];
      rowsOfUnit++;
      rowsOfGroup++;
      boolean ends = rowsOfGroup == share.group() || first + r + 1 == rows;
      if (ends || rowsOfUnit == share.unit()) {
        endUnit();
      }
      if (ends) {
        endGroup();
      }
    }
  }

  private void endUnit() {
    if (nonzerosOfUnit > 0 || !share.skipEmpty()) {
      nonzerosOfChunk += nonzerosOfUnit;
      nonzerosOfGroup += nonzerosOfUnit;
      busiestOfGroup = Math.max(busiestOfGroup, nonzerosOfChunk);
      iterations++;
      if (iterations % share.chunk() == 0) {
        nonzerosOfChunk = 0;
      }
    }
    nonzerosOfUnit = 0;
    rowsOfUnit = 0;
  }

  private void endGroup() {
    span += Math.max((double) busiestOfGroup, (double) nonzerosOfGroup / share.threads());
    busiest = Math.max(busiest, busiestOfGroup);
    busiestOfGroup = 0;
    nonzerosOfGroup = 0;
    nonzerosOfChunk = 0;
    iterations = 0;
    rowsOfGroup = 0;
  }

  @Override
  public int end(int row) {
    return rows;
  }

  Balance balance() {
    return new Balance(busiest, span);
  }
}
