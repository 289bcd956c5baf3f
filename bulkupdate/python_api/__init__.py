"""The functions of `import bulkupdate`, for notebooks and schedulers: what the commands do, without printing."""
