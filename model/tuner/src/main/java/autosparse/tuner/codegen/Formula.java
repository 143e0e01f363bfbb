package autosparse.tuner.codegen;

import autosparse.schedule.Op;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What an operator computes for one nonzero of A: the result += A's value times the product of the
 * dense operands. The emitter knows operators by this alone.
 *
 * @param output the dense result; empty where the result has A's format, one value per position
 * @param operands the dense operands
 */
record Formula(Optional<Access> output, List<Access> operands) {
  /**
   * An element of a dense, row-major array.
   *
   * @param array name of the array, as kernel_abi.h has it
   * @param axes the logical axes that index it: one or two
   */
  record Access(String array, List<String> axes) {
    /** {@code b[k, j]}. */
    @Override
    public String toString() {
      return array + "[" + String.join(", ", axes) + "]";
    }
  }

  static Formula of(Op op) {
    return switch (op) {
      case SPMV -> new Formula(access("out", "i"), List.of(operand("b", "j")));
      case SPMM -> new Formula(access("out", "i", "j"), List.of(operand("b", "k", "j")));
      case SDDMM ->
          new Formula(Optional.empty(), List.of(operand("b", "i", "k"), operand("c", "k", "j")));
    };
  }

  private static Optional<Access> access(String array, String... axes) {
    return Optional.of(operand(array, axes));
  }

  private static Access operand(String array, String... axes) {
    return new Access(array, List.of(axes));
  }

  /** All arrays, the result first. */
  Stream<Access> accesses() {
    return Stream.concat(output.stream(), operands.stream());
  }

  /** {@code b[i, k] * c[k, j]}. */
  String product() {
    return operands.stream().map(Access::toString).collect(Collectors.joining(" * "));
  }
}
