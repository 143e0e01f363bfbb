/**
 * Building blocks of networks: layers with parameters, losses, optimisers, state dicts.
 *
 * <p>Parameters are of the device's real type. A layer's output has the type of its input, an
 * activation or real, unless it says otherwise. Inputs whose shapes or types do not fit are refused
 * by the operators: an {@link IllegalArgumentException} that names operator, argument and what was
 * expected.
 */
package autosparse.layers;
