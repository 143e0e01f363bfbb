package autosparse.trainer;

import autosparse.autograd.Tape;
import autosparse.autograd.Variable;
import autosparse.costmodel.checkpoint.ModelFile;
import autosparse.costmodel.network.CostModel;
import autosparse.costmodel.training.Scores;
import autosparse.engine.Device;
import autosparse.engine.DeviceSelection;
import autosparse.engine.TensorScope;
import autosparse.engine.sparse.Sites;
import autosparse.layers.PatternPyramid;
import autosparse.schedule.InputException;
import autosparse.schedule.MatrixReader;
import autosparse.schedule.Op;
import autosparse.schedule.Problem;
import autosparse.schedule.Schedule;
import autosparse.schedule.SparsityPattern;
import autosparse.trainer.options.RankOptions;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** The work of {@code rank}. */
final class Ranking {
  private final RankOptions options;
  private final Main main;

  Ranking(RankOptions options, Main main) {
    this.options = options;
    this.main = main;
  }

  int run() {
    DeviceSelection selection = Devices.select(options.device());
    SparsityPattern pattern = MatrixReader.read(options.matrix());
    ScheduleFile candidates = ScheduleFile.read(options.schedules(), options.op());
    double[] scores = scores(selection, pattern, candidates);
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
      DeviceSelection selection, SparsityPattern pattern, ScheduleFile candidates) {
    try (Device device = selection.open();
        TensorScope scope = device.root().child("rank");
        CostModel model = ModelFile.read(options.checkpoint(), scope).model()) {
      if (!model.config().ops().contains(options.op())) {
        throw new InputException(
            "--op: "
                + options.op().id()
                + ", expected an operator of the model: "
                + model.config().ops().stream().map(Op::id).toList());
      }
      Problem problem = candidates.problem(pattern);
      List<Schedule> schedules = candidates.encodable(problem);
      CostModel.EncodedTask task = model.encode(pattern, problem, schedules);
      try (Tape tower = Tape.inference(scope)) {
        Variable features = features(tower, scope, model, pattern);
        int[] all = IntStream.range(0, schedules.size()).toArray();
        return Scores.of(model, scope, features, task, all);
      }
    }
  }

  private static Variable features(
      Tape tape, TensorScope scope, CostModel model, SparsityPattern pattern) {
    if (!model.readsPattern()) {
      return null;
    }
    Sites.Pattern sites =
        new Sites.Pattern(pattern.rows(), pattern.cols(), pattern.rowPointers(), pattern.columns());
    try (PatternPyramid pyramid = new PatternPyramid(scope, sites)) {
      return model.pattern(tape, pyramid);
    }
  }
}
