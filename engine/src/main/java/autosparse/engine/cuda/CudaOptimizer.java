package autosparse.engine.cuda;

import static autosparse.engine.DType.F32;
import static autosparse.engine.DType.F64;
import static autosparse.engine.DType.I64;

import autosparse.engine.Tensor;
import autosparse.engine.TensorScope;
import autosparse.engine.memory.MemoryTag;
import autosparse.engine.operators.OptimizerOperators;
import autosparse.kernels.CudaContext;
import autosparse.kernels.OptimizerKernels;
import autosparse.kernels.OptimizerKernels.AdamConstants;
import autosparse.kernels.OptimizerKernels.TensorTable;
import java.util.List;

/** All parameters in one launch: the kernels read a table of their addresses. */
final class CudaOptimizer extends OptimizerOperators {
  private final OptimizerKernels kernels;

  CudaOptimizer(CudaContext context) {
    kernels = new OptimizerKernels(context);
  }

  @Override
  protected void applyGlobalNorm(List<Tensor> gradients, Tensor norm) {
    TensorTable table = new TensorTable(gradients.size());
    for (Tensor gradient : gradients) {
      table.addGradient(gradient.deviceAddress(F32), gradient.elements());
    }
    try (TensorScope scope = norm.device().root().child("global norm")) {
      Tensor squares = scope.create("squares", F64, MemoryTag.WORKSPACE, table.tiles());
      kernels.globalNorm(
          table, entries(scope, table), squares.deviceAddress(F64), norm.deviceAddress(F32));
    }
  }

  @Override
  protected void applyAdam(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm) {
    TensorTable table = parameters(weights, gradients, firstMoments, secondMoments, List.of());
    try (TensorScope scope = norm.device().root().child("adam")) {
      kernels.adam(table, entries(scope, table), norm.deviceAddress(F32), constants(settings));
    }
  }

  @Override
  protected void applyAdamAveraged(
      AdamStep settings,
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      Tensor norm,
      double share,
      List<Tensor> averages) {
    TensorTable table = parameters(weights, gradients, firstMoments, secondMoments, averages);
    try (TensorScope scope = norm.device().root().child("adam")) {
      long entries = entries(scope, table);
      kernels.adam(table, entries, norm.deviceAddress(F32), constants(settings));
      kernels.average(table, entries, (float) share);
    }
  }

  private static TensorTable parameters(
      List<Tensor> weights,
      List<Tensor> gradients,
      List<Tensor> firstMoments,
      List<Tensor> secondMoments,
      List<Tensor> averages) {
    TensorTable table = new TensorTable(weights.size());
    for (int p = 0; p < weights.size(); p++) {
      table.addParameter(
          weights.get(p).deviceAddress(F32),
          gradients.get(p).deviceAddress(F32),
          firstMoments.get(p).deviceAddress(F32),
          secondMoments.get(p).deviceAddress(F32),
          averages.isEmpty() ? 0 : averages.get(p).deviceAddress(F32),
          weights.get(p).elements());
    }
    return table;
  }

  @Override
  protected void applyAverage(double share, List<Tensor> weights, List<Tensor> averages) {
    if (weights.isEmpty()) {
      return;
    }
    TensorTable table = new TensorTable(weights.size());
    for (int p = 0; p < weights.size(); p++) {
      Tensor weight = weights.get(p);
      table.addAverage(
          weight.deviceAddress(F32), averages.get(p).deviceAddress(F32), weight.elements());
    }
    try (TensorScope scope = weights.get(0).device().root().child("average")) {
      kernels.average(table, entries(scope, table), (float) share);
    }
  }

  private static long entries(TensorScope scope, TensorTable table) {
    return scope
        .longs("addresses of tensors", MemoryTag.WORKSPACE, table.words())
        .deviceAddress(I64);
  }

  private static AdamConstants constants(AdamStep settings) {
    return new AdamConstants(
        (float) settings.clipNorm(),
        (float) settings.coupledDecay(),
        (float) settings.decoupledDecay(),
        (float) settings.beta1(),
        (float) (1 - settings.beta1()),
        (float) settings.beta2(),
        (float) (1 - settings.beta2()),
        (float) (settings.rate() / settings.correction1()),
        (float) (1 / settings.correction2()),
        (float) settings.epsilon());
  }
}
