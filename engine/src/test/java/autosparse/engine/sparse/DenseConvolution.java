package autosparse.engine.sparse;

import java.util.List;

/**
 * An ordinary dense 2-D convolution in double, which knows nothing of maps: features are scattered
 * to a grid that is zero elsewhere, and results are read off at the active sites.
 */
final class DenseConvolution {
  private final int size;
  private final int stride;
  private final int dilation;
  private final int fanIn;
  private final int fanOut;
  private final List<int[]> inputSites;
  private final List<int[]> outputSites;
  private final int matrices;
  private final int rows;
  private final int columns;

  /**
   * @param rows edge of the input grid, at least every matrix's number of rows
   */
  DenseConvolution(
      int size,
      int stride,
      int dilation,
      int fanIn,
      int fanOut,
      Sites inputs,
      Sites outputs,
      int rows,
      int columns) {
    this.size = size;
    this.stride = stride;
    this.dilation = dilation;
    this.fanIn = fanIn;
    this.fanOut = fanOut;
    this.inputSites = Patterns.coordinates(inputs);
    this.outputSites = Patterns.coordinates(outputs);
    this.matrices = inputs.batch();
    this.rows = rows;
    this.columns = columns;
  }

  double[] forward(double[] x, double[] weight) {
    double[][][][] grid = scatter(inputSites, x, fanIn, rows, columns);
    double[][][][] result = new double[matrices][outputRows()][outputColumns()][fanOut];
    walk(
        (b, row, column, r, c, w) -> {
          for (int i = 0; i < fanIn; i++) {
            for (int o = 0; o < fanOut; o++) {
              result[b][row][column][o] += grid[b][r][c][i] * weight[(w * fanIn + i) * fanOut + o];
            }
          }
        });
    return readOff(outputSites, result, fanOut);
  }

  double[] inputGradient(double[] weight, double[] dz) {
    double[][][][] dGrid = scatter(outputSites, dz, fanOut, outputRows(), outputColumns());
    double[][][][] result = new double[matrices][rows][columns][fanIn];
    walk(
        (b, row, column, r, c, w) -> {
          for (int i = 0; i < fanIn; i++) {
            for (int o = 0; o < fanOut; o++) {
              result[b][r][c][i] += dGrid[b][row][column][o] * weight[(w * fanIn + i) * fanOut + o];
            }
          }
        });
    return readOff(inputSites, result, fanIn);
  }

  double[] weightGradient(double[] x, double[] dz) {
    double[][][][] grid = scatter(inputSites, x, fanIn, rows, columns);
    double[][][][] dGrid = scatter(outputSites, dz, fanOut, outputRows(), outputColumns());
    double[] result = new double[size * size * fanIn * fanOut];
    walk(
        (b, row, column, r, c, w) -> {
          for (int i = 0; i < fanIn; i++) {
            for (int o = 0; o < fanOut; o++) {
              result[(w * fanIn + i) * fanOut + o] += dGrid[b][row][column][o] * grid[b][r][c][i];
            }
          }
        });
    return result;
  }

  private interface Step {
    void at(int matrix, int row, int column, int inputRow, int inputColumn, int weight);
  }

  private void walk(Step step) {
    int half = size / 2;
    for (int b = 0; b < matrices; b++) {
      for (int row = 0; row < outputRows(); row++) {
        for (int column = 0; column < outputColumns(); column++) {
          for (int dr = -half; dr <= half; dr++) {
            for (int dc = -half; dc <= half; dc++) {
              int r = row * stride + dr * dilation;
              int c = column * stride + dc * dilation;
              if (r >= 0 && r < rows && c >= 0 && c < columns) {
                step.at(b, row, column, r, c, (dr + half) + size * (dc + half));
              }
            }
          }
        }
      }
    }
  }

  private int outputRows() {
    return (rows + stride - 1) / stride;
  }

  private int outputColumns() {
    return (columns + stride - 1) / stride;
  }

  private double[][][][] scatter(
      List<int[]> sites, double[] values, int channels, int height, int width) {
    double[][][][] grid = new double[matrices][height][width][channels];
    for (int i = 0; i < sites.size(); i++) {
      int[] at = sites.get(i);
      System.arraycopy(values, i * channels, grid[at[0]][at[1]][at[2]], 0, channels);
    }
    return grid;
  }

  private static double[] readOff(List<int[]> sites, double[][][][] grid, int channels) {
    double[] values = new double[sites.size() * channels];
    for (int i = 0; i < sites.size(); i++) {
      int[] at = sites.get(i);
      System.arraycopy(grid[at[0]][at[1]][at[2]], 0, values, i * channels, channels);
    }
    return values;
  }
}
