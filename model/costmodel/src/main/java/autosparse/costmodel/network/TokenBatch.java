package autosparse.costmodel.network;

import autosparse.costmodel.network.CostModel.Selection;
import autosparse.costmodel.tokens.TaskTokens;
import autosparse.costmodel.tokens.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * The tokens of one step, packed: the distinct rows that the selected schedules use, and for each
 * token its row. Pattern tokens are rows behind the table, one a matrix.
 */
final class TokenBatch {
  private final List<float[]> table = new ArrayList<>();
  private int rows;
  private final int[] tokens;
  private final int[] patternRows;
  private final long[] offsets;

  private TokenBatch(int count, int sequences) {
    tokens = new int[count];
    patternRows = new int[count];
    offsets = new long[sequences + 1];
  }

  /**
   * @param patternToken whether each sequence ends with its matrix's pattern token
   * @param rowMultiple the table's rows are rounded up to a multiple of this
   */
  static TokenBatch of(
      List<Selection> selections,
      Function<Selection, TaskTokens> tokensOf,
      boolean patternToken,
      int rowMultiple) {
    int count = 0;
    int sequences = 0;
    for (Selection selection : selections) {
      int[][] all = tokensOf.apply(selection).sequences();
      for (int index : selection.indices()) {
        count += all[index].length + (patternToken ? 1 : 0);
      }
      sequences += selection.indices().length;
    }
    TokenBatch batch = new TokenBatch(count, sequences);
    int[] matrixOfToken = new int[count];
    int t = 0;
    int s = 0;
    for (Selection selection : selections) {
      TaskTokens task = tokensOf.apply(selection);
      int[] rowOf = new int[task.table().length];
      Arrays.fill(rowOf, -1);
      for (int index : selection.indices()) {
        for (int token : task.sequences()[index]) {
          if (rowOf[token] < 0) {
            rowOf[token] = batch.table.size();
            batch.table.add(task.table()[token]);
          }
          matrixOfToken[t] = selection.matrix();
          batch.tokens[t++] = rowOf[token];
        }
        if (patternToken) {
          matrixOfToken[t] = selection.matrix();
          batch.tokens[t++] = -1;
        }
        batch.offsets[++s] = t;
      }
    }
    batch.rows = (batch.table.size() + rowMultiple - 1) / rowMultiple * rowMultiple;
    for (int i = 0; i < count; i++) {
      batch.patternRows[i] = batch.rows + matrixOfToken[i];
      if (batch.tokens[i] < 0) {
        batch.tokens[i] = batch.patternRows[i];
      }
    }
    return batch;
  }

  /** Rows of the table: distinct ones, then unused ones; pattern tokens are not counted. */
  int rows() {
    return rows;
  }

  /** Row of each token [T]. */
  int[] tokens() {
    return tokens;
  }

  /** Row of each token's matrix's pattern [T]. */
  int[] patternRows() {
    return patternRows;
  }

  /** First token of each sequence, then T. */
  long[] offsets() {
    return offsets;
  }

  /** The table [{@link #rows}, width] that the tokeniser's network reads; unused rows are zero. */
  float[] table(Tokenizer tokenizer) {
    int width = tokenizer.width();
    float[] values = new float[Math.multiplyExact(rows, width)];
    for (int r = 0; r < table.size(); r++) {
      tokenizer.write(table.get(r), values, r * width);
    }
    return values;
  }
}
