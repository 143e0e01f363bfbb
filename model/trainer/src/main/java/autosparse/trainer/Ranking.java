package autosparse.trainer;

import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.training.Ensemble;
import autosparse.costmodel.training.ForwardPasses;
import autosparse.costmodel.training.PlannedPasses;
import autosparse.costmodel.training.PyramidCache;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixPattern;
import autosparse.schedule.Op;
import autosparse.schedule.PatternMemory;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.trainer.options.RankOptions;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** The work of {@code rank}: by one network, or by the mean of several networks' scores. */
final class Ranking {
  private final RankOptions options;
  private final Main main;

  Ranking(RankOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    DeviceSelection selection = Devices.select(options.device());
    HostPlan host = new HostPlan(selection.host());
    PatternMemory memory =
        host.keepMatrices(List.of(options.matrix()), 1, main.patternBudget());
    ScheduleFile candidates;
    double[] scores;
    try (MatrixPattern pattern = memory.open(options.matrix())) {
      candidates = ScheduleFile.read(options.schedules(), options.op());
      scores = scores(selection, host, pattern, candidates);
    }
    List<Integer> order =
        IntStream.range(0, scores.length)
            .boxed()
            .sorted(Comparator.comparingDouble((Integer i) -> -scores[i]))
            .toList();
    main.print(String.format("%4s%12s  %s", "rank", "score", "schedule"));
    for (int rank = 0; rank < Math.min(options.top(), order.size()); rank++) {
      int chosen = order.get(rank);
      main.print(
          String.format(
              Locale.ROOT, "%4d%12.4f  %s", rank + 1, scores[chosen], candidates.line(chosen)));
    }
    return 0;
  }

  private double[] scores(
      DeviceSelection selection, HostPlan host, MatrixPattern pattern, ScheduleFile candidates) {
    try (Device device = selection.withHost(host.budget()).open();
        PlannedModels models = PlannedModels.of(options.checkpoints(), device)) {
      models.all().forEach(this::requireOperator);
      Problem problem = candidates.problem(pattern);
      List<Schedule> schedules = candidates.encodable(problem);
      List<Planned> planned =
          models.all().stream().map(model -> plan(model, pattern, problem, schedules)).toList();
      planned.forEach(one -> host.keep(HostPlan.TOKENS, one.task().hostBytes()));
      return Ensemble.mean(planned.stream().map(one -> scores(device, pattern, one)).toList());
    }
  }

  private void requireOperator(PlannedModel model) {
    List<Op> known = model.config().ops();
    if (!known.contains(options.op())) {
      throw new InputException(
          "--op: "
              + options.op().id()
              + ", expected an operator of the model "
              + model.file()
              + ": "
              + known.stream().map(Op::id).toList());
    }
  }

  /** A network before it is loaded, and the schedules as it sees them. */
  private record Planned(Path file, CostModel.EncodedTask task, PlannedPasses passes) {}

  private static Planned plan(
      PlannedModel model, MatrixPattern pattern, Problem problem, List<Schedule> schedules) {
    CostModel.EncodedTask task = model.planner().model().encode(pattern, problem, schedules);
    PlannedPasses plans = model.passes(0);
    plans.planTower(0, pattern);
    plans.planScores(pattern.name(), task, all(task));
    return new Planned(model.file(), task, plans);
  }

  private static double[] scores(Device device, MatrixPattern pattern, Planned planned) {
    try (CostModel model = ModelFile.read(planned.file(), device.root()).model();
        PyramidCache pyramids = new PyramidCache(device.root(), List.of(pattern), 0)) {
      ForwardPasses passes =
          ForwardPasses.planned(model, device.root(), pyramids, planned.passes());
      return passes.scores(passes.features(0), planned.task(), all(planned.task()));
    }
  }

  private static int[] all(CostModel.EncodedTask task) {
    return IntStream.range(0, task.size()).toArray();
  }
}
