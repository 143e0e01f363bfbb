package autosparse.costmodel.training;

/**
 * Scores of a task's validation schedules; larger = faster.
 *
 * @param own with the pattern of the task's matrix, [N]
 * @param blind with another matrix's pattern, [N]; null when it was not asked for or there is none
 */
public record TaskScores(double[] own, double[] blind) {}
