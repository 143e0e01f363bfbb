package autosparse.benchmarks;

import org.openjdk.jmh.annotations.Param;

/** Operators that treat every element alone. */
public class ElementwiseBenchmark extends OpCaseBenchmark {
  /** A case of the registry's family {@code elementwise}. */
  @Param({
    "copy",
    "scale",
    "activation IDENTITY",
    "activationBackward IDENTITY",
    "activation RELU",
    "activationBackward RELU",
    "activation GELU",
    "activationBackward GELU",
    "dropout keep=0.9",
    "dropout keep=0.25",
    "dropout keep=1.0",
    "add",
    "add in place",
    "fill",
    "cast to activation",
    "cast to real",
    "axpy",
    "scaleGroups C=3",
    "scaleGroups C=1",
    "copyColumns",
    "copyColumns accumulating"
  })
  public String operator;

  @Override
  protected String operator() {
    return operator;
  }
}
