package autosparse.schedule;

/** A condition that a schedule must meet to be compiled; {@link Legality} checks them. */
public enum Rule {
  /** Sparse tensors of the operator, each with a format, and no others. */
  TENSORS("the operator's sparse tensors, and no others, have a format"),
  /** Format splits cut sparse axes, loop splits dense ones. */
  SPLIT_KIND("format splits cut axes of A, loop splits the dense axis"),
  /** Storage order names each level of A once. */
  STORAGE_COMPLETE("the storage order has every level of A once"),
  /** Loop order names each loop once. */
  LOOPS_COMPLETE("the loop order has every loop of the operator once"),
  /** Marks name loops. */
  MARKS_ARE_LOOPS("the parallel, vectorised and unrolled axes are loops of the operator"),
  /** Loops over a tensor's levels run in their storage order. */
  STORAGE_FOLLOWS_LOOPS("the storage order is the loop order restricted to the tensor's axes"),
  /** An inner part inside its outer part. */
  OUTER_BEFORE_INNER("the outer part of a split comes before its inner part"),
  /** All sparse tensors share one format. */
  SAME_FORMAT("all sparse tensors of the operator have the same format"),
  /** First level. */
  ROOT_MODE("the outermost level is dense, compressed or compressed non-unique"),
  /** Level after dense or compressed. */
  MODE_AFTER_FULL("after dense or compressed comes dense, compressed or compressed non-unique"),
  /** Level after a non-unique one. */
  MODE_AFTER_NON_UNIQUE(
      "after a non-unique level comes compressed, compressed non-unique, or a singleton: unique on"
          + " the last level, non-unique before it"),
  /** Level after a singleton. */
  MODE_AFTER_SINGLETON("after a unique singleton comes compressed or compressed non-unique"),
  /** Parallel loop independent. */
  PARALLEL_NOT_REDUCTION("the parallel loop is not a reduction"),
  /** Parallel loop enumerable. */
  PARALLEL_MODE("the parallel loop is not over a singleton level"),
  /** Vectorised loop innermost. */
  VECTORIZED_INNERMOST("the vectorised loop is the innermost"),
  /** Vectorised loop dense. */
  VECTORIZED_DENSE("the vectorised loop is over a dense level or axis"),
  /** Vectorised loop independent. */
  VECTORIZED_NOT_REDUCTION("the vectorised loop is not a reduction"),
  /** Unrolled loop dense. */
  UNROLLED_DENSE("the unrolled loop is over a dense level or axis"),
  /** One mark per loop. */
  MARKS_DISTINCT("parallel, vectorised and unrolled loops are different loops"),
  /** Unroll factor only with an unrolled loop. */
  UNROLL_FACTOR("the unroll factor is positive where a loop is unrolled, 0 elsewhere");

  private final String description;

  Rule(String description) {
    this.description = description;
  }

  /** What must hold, as a clause. */
  public String description() {
    return description;
  }
}
