/** Steps, epochs and evaluation of a cost model; everything a run needs to resume bit for bit. */
package autosparse.costmodel.training;
