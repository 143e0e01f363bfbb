/** Building blocks of networks: layers with parameters, losses, optimisers, state dicts. */
package autosparse.layers;
