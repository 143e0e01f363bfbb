package autosparse.layers;

import autosparse.engine.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Named tensors of a module, sharing its memory: what is saved, and what loading writes to. */
public record StateDict(Map<String, Tensor> tensors) {
  /** Keeps the order of the map, which is copied; the tensors are shared. */
  public StateDict {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /**
   * Both together, the other's names behind a prefix.
   *
   * @throws IllegalArgumentException when both have a tensor of one name
   */
  public StateDict with(String prefix, StateDict other) {
    Map<String, Tensor> all = new LinkedHashMap<>(tensors);
    other.tensors.forEach(
        (name, tensor) -> {
          if (all.putIfAbsent(prefix + name, tensor) != null) {
            throw new IllegalArgumentException("two tensors named '" + prefix + name + "'");
          }
        });
    return new StateDict(all);
  }

  /**
   * What is wrong with a source of these tensors: one line each for a missing or unexpected name
   * and for a shape that differs; empty when it fits.
   *
   * @param shapes shapes that the source holds, by name
   */
  public List<String> mismatches(Map<String, long[]> shapes) {
    List<String> lines = new ArrayList<>();
    tensors.forEach(
        (name, tensor) -> {
          long[] found = shapes.get(name);
          if (found == null) {
            lines.add("tensor '" + name + "' is missing, expected shape " + tensor.shape());
          } else if (!java.util.Arrays.equals(found, tensor.shape().toArray())) {
            lines.add(
                "tensor '"
                    + name
                    + "' has shape "
                    + java.util.Arrays.toString(found)
                    + ", expected "
                    + tensor.shape());
          }
        });
    for (String name : shapes.keySet()) {
      if (!tensors.containsKey(name)) {
        lines.add("tensor '" + name + "' is not of this model");
      }
    }
    return lines;
  }
}
